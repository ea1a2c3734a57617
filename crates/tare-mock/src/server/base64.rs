//! Whether a text is base64, and where it is not, as Go's decoder says it.

/// Go's decoder's view of a text.
///
/// # Errors
/// With the place of the byte at which Go finds it wrong.
pub fn check(text: &str) -> Result<(), usize> {
    let bytes: Vec<(usize, u8)> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let mut groups = bytes.chunks(4).peekable();
    while let Some(group) = groups.next() {
        let start = group[0].0;
        let letters = group
            .iter()
            .take_while(|(_, byte)| is_letter(*byte))
            .count();
        if letters == 4 {
            continue;
        }
        let Some(&(at, byte)) = group.get(letters) else {
            return Err(start); // it ends in the middle of a group
        };
        let Some(padding) = (byte == b'=' && letters >= 2).then_some(&group[letters + 1..]) else {
            return Err(at);
        };
        match (letters, padding) {
            (2, [(_, b'=')]) | (3, []) => {}
            (2, [(wrong, _)]) => return Err(*wrong),
            _ => return Err(text.len()),
        }
        if let Some(next) = groups.peek() {
            return Err(next[0].0); // nothing comes after padding
        }
    }
    Ok(())
}

/// Go's words for a text that is wrong at such a place.
pub fn complaint(at: usize) -> String {
    format!("illegal base64 data at input byte {at}")
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn sound_texts_are_taken_and_others_are_wrong_where_go_says_it() {
        for (text, found) in [
            ("", Ok(())),
            ("aGVsbG8=", Ok(())),
            ("aGVsbA==", Ok(())),
            ("aGVs\nbG8h", Ok(())),
            ("!!!", Err(0)),
            ("aG!sbG8=", Err(2)),
            ("aGVsbG8", Err(4)),
            ("aGVsbA=", Err(7)),
            ("aGVsbA=x", Err(7)),
            ("aGVsbG8=x", Err(8)),
            ("a===", Err(1)),
        ] {
            assert_eq!(check(text), found, "{text:?}");
        }
    }
}
