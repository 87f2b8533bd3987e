//! Keeps other servers away from a database, whatever path leads to it: the lock is on the file itself, not on its name, so it
//! holds for hard links and symbolic links too.
//!
//! The operating system drops SQLite's own locks of a file when the process closes *any* descriptor of it. So a descriptor
//! that was opened here stays open until the process ends, even after the lock was released or refused.

use std::{
    fs::{self, File, TryLockError},
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

/// A database that no other server can use.
#[derive(Debug)]
pub(super) struct FileLock {
    path: PathBuf,
    file: ManuallyDrop<File>,
}

impl FileLock {
    /// Locks the database, and creates its file if there is none.
    pub(super) fn take(path: &Path) -> Result<Self, String> {
        if path.is_dir() {
            return Err("it is a directory; name a file in it".into());
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !parent.is_dir() {
            return Err(format!("the directory {} does not exist; create it first", parent.display()));
        }
        Self::try_take(path)
            .map_err(|error| {
                format!("cannot open it: {error}; choose a file that this user may read and write")
            })?
            .ok_or_else(|| "another everwire-server is using it; stop that one, or use another file".into())
    }

    /// Locks a file, and creates it if there is none. `None`: somebody has locked it.
    pub(super) fn try_take(path: &Path) -> std::io::Result<Option<Self>> {
        Self::lock(path, Self::create(path)?)
    }

    /// Whether a server uses the database now.
    pub(super) fn is_taken(path: &Path) -> std::io::Result<bool> {
        match File::open(locked_path(path)) {
            Ok(file) => Ok(Self::lock(path, file)?.is_none()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn create(path: &Path) -> std::io::Result<File> {
        let path = locked_path(path);
        // Reading is enough for the lock; SQLite explains why a file cannot be written.
        File::open(&path)
            .or_else(|_| File::options().read(true).write(true).create(true).truncate(false).open(&path))
    }

    /// `None` if another process, or another store of this one, has the lock.
    fn lock(path: &Path, file: File) -> std::io::Result<Option<Self>> {
        let file = ManuallyDrop::new(file);
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path: path.into(), file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether the path still leads to the locked file. If not, it was moved away, or replaced by another one.
    #[cfg(unix)]
    pub(super) fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let id = |found: fs::Metadata| (found.dev(), found.ino());
        let locked = self.file.metadata().map(id).ok();
        locked.is_some() && fs::metadata(&self.path).map(id).ok() == locked
    }

    #[cfg(not(unix))]
    pub(super) fn is_in_place(&self) -> bool {
        fs::metadata(&self.path).is_ok()
    }
}

/// Locks of other systems keep SQLite itself away from a file: there, the lock is on a file beside it.
fn locked_path(path: &Path) -> PathBuf {
    if cfg!(unix) { path.into() } else { path.with_added_extension("lock") }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // An error means that there is no lock.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_on_the_file_and_not_on_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let [path, hard, soft] = ["a.db", "hard.db", "soft.db"].map(|name| directory.path().join(name));
        assert!(!FileLock::is_taken(&path).unwrap(), "there is no file");
        let lock = FileLock::take(&path).unwrap();
        fs::hard_link(&path, &hard).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        for other in [&path, &hard, &soft] {
            assert!(FileLock::is_taken(other).unwrap());
            assert!(FileLock::take(other).unwrap_err().contains("another everwire-server"));
        }
        assert!(lock.is_in_place());
        fs::rename(&path, directory.path().join("moved.db")).unwrap();
        assert!(!lock.is_in_place());
        fs::copy(&hard, &path).unwrap();
        assert!(!lock.is_in_place(), "a copy is another file");
        let of_the_copy = FileLock::take(&path).unwrap();
        drop(lock);
        assert!(!FileLock::is_taken(&hard).unwrap() && FileLock::is_taken(&path).unwrap());
        drop(of_the_copy);
    }
}
