//! A file that is whole or not there, also after a power cut.
//!
//! It is written beside its place under another name, forced to the disk, renamed, and then its
//! folder is forced to the disk, and so is the folder that a new folder was made in. Until the
//! renaming it does not exist, after it all of it does.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// What the names of files end in that are not finished.
pub const UNFINISHED: &str = ".unfinished";

/// Writes it.
///
/// # Errors
/// When the system refuses; a file that was there is then as it was.
pub fn write(place: &Path, text: &str) -> io::Result<()> {
    let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_folder(folder)?;
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, place)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it.
///
/// # Errors
/// When the system refuses.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    make_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(above)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_and_a_file_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("a/b/c.json");
        for text in ["old", "new"] {
            write(&place, text).expect("a place to write");
            assert_eq!(fs::read_to_string(&place).expect("a file"), text);
        }
        let there = fs::read_dir(folder.path().join("a/b")).expect("a folder");
        assert_eq!(there.count(), 1, "an unfinished file is left");
    }

    #[test]
    fn what_was_there_stays_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("kept");
        write(&place, "kept").expect("a place to write");
        // A folder stands where the unfinished file would.
        fs::create_dir(folder.path().join("kept.unfinished")).expect("a folder");
        write(&place, "new").expect_err("no place to write");
        assert_eq!(fs::read_to_string(&place).expect("a file"), "kept");
        write(&place.join("below"), "new").expect_err("a file is no folder");
    }
}
