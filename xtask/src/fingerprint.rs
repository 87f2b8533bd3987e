//! Detects whether a build result is up to date: a stamp file holds a fingerprint of everything that it was built from.
//! Contents are compared, not modification times, because a checkout changes those.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// The fingerprint of a build's inputs, and the file that remembers it.
pub(crate) struct Stamp {
    file: PathBuf,
    fingerprint: String,
}

impl Stamp {
    /// `inputs` are files and directories (`node_modules`, `dist` and `wasm` inside of them are skipped); `words` is what else
    /// the result depends on, such as versions and options.
    pub(crate) fn new(file: impl Into<PathBuf>, inputs: &[PathBuf], words: &[&str]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        words.hash(&mut hasher);
        for input in inputs {
            add(input, &mut hasher).map_err(Error::file("read", input))?;
        }
        Ok(Self { file: file.into(), fingerprint: format!("{:016x}\n", hasher.finish()) })
    }

    /// True if all `outputs` exist and were built from the same inputs.
    pub(crate) fn holds(&self, outputs: &[PathBuf]) -> bool {
        outputs.iter().all(|output| output.exists())
            && fs::read_to_string(&self.file).is_ok_and(|text| text == self.fingerprint)
    }

    /// Call this after the build.
    pub(crate) fn set(&self) -> Result {
        if let Some(parent) = self.file.parent() {
            fs::create_dir_all(parent).map_err(Error::file("created", parent))?;
        }
        fs::write(&self.file, &self.fingerprint).map_err(Error::file("written", &self.file))
    }
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    path.file_name().hash(hasher);
    if !path.is_dir() {
        return fs::read(path).map(|content| content.hash(hasher));
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        let built = ["node_modules", "dist", "wasm"].iter().any(|name| entry.ends_with(name));
        if !built {
            add(&entry, hasher)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary directory for one test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("everwire-fingerprint-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("src/node_modules")).unwrap();
            fs::write(path.join("src/a.ts"), "one").unwrap();
            fs::write(path.join("out"), "built").unwrap();
            Self(path)
        }

        fn stamp(&self, words: &[&str]) -> Stamp {
            Stamp::new(self.0.join("stamp"), &[self.0.join("src")], words).unwrap()
        }

        fn outputs(&self) -> [PathBuf; 1] {
            [self.0.join("out")]
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_result_is_up_to_date_once_it_was_built() {
        let directory = Directory::new("never");
        assert!(!directory.stamp(&[]).holds(&directory.outputs()));
        directory.stamp(&[]).set().unwrap();
        assert!(directory.stamp(&[]).holds(&directory.outputs()));
    }

    #[test]
    fn a_changed_or_renamed_input_or_word_makes_it_out_of_date() {
        let directory = Directory::new("changed");
        directory.stamp(&["1"]).set().unwrap();
        assert!(!directory.stamp(&["2"]).holds(&directory.outputs()));
        fs::write(directory.0.join("src/a.ts"), "two").unwrap();
        assert!(!directory.stamp(&["1"]).holds(&directory.outputs()));
        fs::write(directory.0.join("src/a.ts"), "one").unwrap();
        assert!(directory.stamp(&["1"]).holds(&directory.outputs()));
        fs::rename(directory.0.join("src/a.ts"), directory.0.join("src/b.ts")).unwrap();
        assert!(!directory.stamp(&["1"]).holds(&directory.outputs()));
    }

    #[test]
    fn a_missing_output_makes_it_out_of_date_and_installed_packages_do_not() {
        let directory = Directory::new("lost");
        directory.stamp(&[]).set().unwrap();
        fs::write(directory.0.join("src/node_modules/x"), "installed").unwrap();
        assert!(directory.stamp(&[]).holds(&directory.outputs()));
        fs::remove_file(directory.0.join("out")).unwrap();
        assert!(!directory.stamp(&[]).holds(&directory.outputs()));
    }
}
