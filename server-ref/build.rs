//! Builds the crate again when a migration is added: `sqlx::migrate!` reads their directory at compile time.

fn main() {
    println!("cargo:rerun-if-changed=src/store/migrations");
}
