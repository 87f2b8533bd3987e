//! What is checked in is what the crate generates now.

#[test]
fn the_generated_files_are_up_to_date() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let files = everwire_protocol::generate::files();
    let drifted: Vec<_> = files
        .iter()
        .filter(|file| std::fs::read_to_string(root.join(file.path)).ok().as_ref() != Some(&file.text))
        .map(|file| file.path)
        .collect();
    assert!(drifted.is_empty(), "run `cargo xtask generate` and commit {drifted:?}");
}

#[test]
fn generating_twice_gives_the_same() {
    assert_eq!(everwire_protocol::generate::files(), everwire_protocol::generate::files());
}
