//! The migrations of a database. They are listed here, because `sqlx::migrate!` would build SQLite a second time, for the compiler.

use sqlx::{
    SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::sentence;

/// In order, with what each introduces. One that has been released is never changed: `sqlx` refuses a database made by another
/// text.
const MIGRATIONS: [(i64, &str, &str); 5] = [
    (1, "schema", include_str!("../migrations/0001_schema.sql")),
    (2, "runs", include_str!("../migrations/0002_runs.sql")),
    (3, "upkeep", include_str!("../migrations/0003_upkeep.sql")),
    (4, "erasure", include_str!("../migrations/0004_erasure.sql")),
    (5, "invitations", include_str!("../migrations/0005_invitations.sql")),
];

/// Brings a database up to date.
pub(super) async fn migrate(writer: &mut SqliteConnection) -> Result<(), String> {
    let all = MIGRATIONS.map(|(version, about, text)| {
        Migration::new(version, about.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(all.into()).run_direct(None, writer, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) => {
            "it was made by a newer version of everwire-server; use that one".into()
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => sentence(&error),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_is_listed_under_its_name() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations");
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|file| {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        let listed =
            MIGRATIONS.map(|(version, about, text)| (format!("{version:04}_{about}.sql"), text.into()));
        assert_eq!(files, listed);
    }
}
