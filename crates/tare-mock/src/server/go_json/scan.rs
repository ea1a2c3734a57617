//! JSON read as Go's scanner reads it, up to its words for what it can't read.

use super::escaped;

/// A JSON value. A number keeps its writing, which Go's messages show.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Why no value could be read.
#[derive(Debug, PartialEq, Eq)]
pub enum ScanError {
    /// Nothing but white space.
    Empty,
    /// In Go's words.
    Syntax(String),
}

/// So deep may lists and objects nest. Go allows 10,000; nobody asks that of a model.
const DEEPEST: usize = 1000;

type Scanned<T> = Result<T, String>;

/// The first value of a text; what follows it is not read.
pub fn first_value(text: &[u8]) -> Result<Node, ScanError> {
    let mut scan = Scan {
        text,
        at: 0,
        depth: 0,
    };
    scan.skip_space();
    if scan.at == text.len() {
        return Err(ScanError::Empty);
    }
    scan.value().map_err(ScanError::Syntax)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte.
    fn take(&mut self) -> Scanned<u8> {
        let byte = self.peek().ok_or_else(end)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte that is not white space.
    fn take_sign(&mut self) -> Scanned<u8> {
        self.skip_space();
        self.take()
    }

    fn value(&mut self) -> Scanned<Node> {
        match self.take_sign()? {
            b'{' => self.deeper(Self::object),
            b'[' => self.deeper(Self::list),
            b'"' => self.string().map(Node::Text),
            b't' => self.literal("true", Node::Bool(true)),
            b'f' => self.literal("false", Node::Bool(false)),
            b'n' => self.literal("null", Node::Null),
            b'-' | b'0'..=b'9' => self.number(),
            other => Err(invalid(other, "looking for beginning of value")),
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Scanned<Node>) -> Scanned<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("exceeded max depth".to_owned());
        }
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn object(&mut self) -> Scanned<Node> {
        const KEY: &str = "looking for beginning of object key string";
        let mut fields = Vec::new();
        loop {
            match self.take_sign()? {
                b'}' if fields.is_empty() => return Ok(Node::Object(fields)),
                b'"' => {}
                other => return Err(invalid(other, KEY)),
            }
            let name = self.string()?;
            match self.take_sign()? {
                b':' => {}
                other => return Err(invalid(other, "after object key")),
            }
            fields.push((name, self.value()?));
            match self.take_sign()? {
                b',' => {}
                b'}' => return Ok(Node::Object(fields)),
                other => return Err(invalid(other, "after object key:value pair")),
            }
        }
    }

    fn list(&mut self) -> Scanned<Node> {
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            match self.take_sign()? {
                b',' => {}
                b']' => return Ok(Node::List(items)),
                other => return Err(invalid(other, "after array element")),
            }
        }
    }

    /// The rest of a literal.
    fn literal(&mut self, name: &str, node: Node) -> Scanned<Node> {
        for expected in name.bytes().skip(1) {
            let found = self.take()?;
            if found != expected {
                let expected = char::from(expected);
                let context = format!("in literal {name} (expecting '{expected}')");
                return Err(invalid(found, &context));
            }
        }
        Ok(node)
    }

    /// The number whose first byte was taken.
    fn number(&mut self) -> Scanned<Node> {
        let start = self.at - 1;
        if self.text[start] == b'-' {
            self.digit("in numeric literal")?;
        }
        // Nothing but a point or an exponent follows a zero.
        if self.text[self.at - 1] != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        let written = String::from_utf8_lossy(&self.text[start..self.at]);
        Ok(Node::Number(written.into_owned()))
    }

    fn digit(&mut self, context: &str) -> Scanned<()> {
        match self.take()? {
            b'0'..=b'9' => Ok(()),
            other => Err(invalid(other, context)),
        }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    /// The text whose first quote was taken. What is not UTF-8 becomes U+FFFD.
    fn string(&mut self) -> Scanned<String> {
        let mut bytes = Vec::new();
        loop {
            match self.take()? {
                b'"' => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                b'\\' => {
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                control @ 0..0x20 => return Err(invalid(control, "in string literal")),
                other => bytes.push(other),
            }
        }
    }

    fn escape(&mut self) -> Scanned<char> {
        Ok(match self.take()? {
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            same @ (b'"' | b'\\' | b'/') => char::from(same),
            b'u' => {
                let first = self.hex()?;
                match char::from_u32(first) {
                    Some(character) => character,
                    None => self.low_surrogate(first),
                }
            }
            other => return Err(invalid(other, "in string escape code")),
        })
    }

    /// The character whose first half is a surrogate: U+FFFD where the second is missing.
    fn low_surrogate(&mut self, high: u32) -> char {
        let before = self.at;
        let escape = self.text.get(before..before + 2) == Some(b"\\u");
        if escape && high < 0xdc00 {
            self.at += 2;
            if let Ok(low @ 0xdc00..=0xdfff) = self.hex() {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at = before; // it stands for itself, and errs by itself
        }
        char::REPLACEMENT_CHARACTER
    }

    fn hex(&mut self) -> Scanned<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.take()?;
            let digit = char::from(byte).to_digit(16);
            let digit =
                digit.ok_or_else(|| invalid(byte, r"in \u hexadecimal character escape"))?;
            code = code << 4 | digit;
        }
        Ok(code)
    }
}

fn end() -> String {
    "unexpected EOF".to_owned()
}

/// Go shows a byte as the character of that number.
fn invalid(byte: u8, context: &str) -> String {
    let shown = match byte {
        b'\'' => r"\'".to_owned(),
        b'"' => "\"".to_owned(),
        other => escaped(char::from(other)),
    };
    format!("invalid character '{shown}' {context}")
}
