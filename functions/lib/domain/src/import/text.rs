//! From a file's bytes to UTF-8: merchants' spreadsheets also write UTF-16 and Windows-1252.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// As much of the file as is looked at to tell its encoding. A fixed amount, so that the answer does
/// not depend on how the file's bytes happen to arrive.
const HEAD_BYTES: usize = 64 * 1024;
/// Bytes of the longest character of UTF-8.
const MAX_CHARACTER_BYTES: usize = 4;

/// Turns chunks of a file into UTF-8. Bytes of a UTF-8 file that are no UTF-8 are passed on as
/// they are, for whoever knows the row to complain.
pub struct Decoder {
    state: State,
    guessed: bool,
}

enum State {
    /// The head is not complete.
    Head(Vec<u8>),
    /// ASCII so far: bytes that await the first character that is not.
    Ascii(Vec<u8>),
    Utf8,
    Other(encoding_rs::Decoder),
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            state: State::Head(Vec::new()),
            guessed: false,
        }
    }
}

impl Decoder {
    /// A decoder of a file whose encoding was declared, by its label in the WHATWG Encoding
    /// Standard, such as `windows-1251` or `shift_jis`; `None` when there is no such label.
    pub fn declared(label: &str) -> Option<Self> {
        let encoding = Encoding::for_label(label.as_bytes())?;
        // What calls itself UTF-8 is looked at all the same: spreadsheets are sent by programs
        // that did not write them.
        let state = match encoding {
            encoding if encoding == UTF_8 => State::Head(Vec::new()),
            encoding => State::Other(encoding.new_decoder_with_bom_removal()),
        };
        Some(Self {
            state,
            guessed: false,
        })
    }

    /// Whether the file was taken for Windows-1252 because it is no UTF-8.
    pub fn guessed_windows_1252(&self) -> bool {
        self.guessed
    }

    /// The text of the next bytes, as far as it is certain; `last`: no more will come.
    pub fn decode(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        match &mut self.state {
            State::Utf8 => bytes.to_vec(),
            State::Other(decoder) => {
                let room = decoder.max_utf8_buffer_length(bytes.len());
                let mut text = String::with_capacity(room.unwrap_or_default());
                let _ = decoder.decode_to_string(bytes, &mut text, last);
                text.into_bytes()
            }
            State::Head(head) => {
                head.extend_from_slice(bytes);
                if head.len() < HEAD_BYTES && !last {
                    return Vec::new();
                }
                let head = std::mem::take(head);
                let (state, mark_bytes) = self.judge(&head, last);
                self.state = state;
                self.decode(head.get(mark_bytes..).unwrap_or_default(), last)
            }
            State::Ascii(pending) => {
                pending.extend_from_slice(bytes);
                let mut text = std::mem::take(pending);
                let Some(at) = text.iter().position(|byte| !byte.is_ascii()) else {
                    return text;
                };
                let rest = text.split_off(at);
                if rest.len() < MAX_CHARACTER_BYTES && !last {
                    self.state = State::Ascii(rest);
                    return text;
                }
                self.state = match begins_with_utf8(&rest) {
                    true => State::Utf8,
                    false => self.windows_1252(),
                };
                text.extend(self.decode(&rest, last));
                text
            }
        }
    }

    /// What the head says, and how many bytes of byte order mark are to be left out.
    fn judge(&mut self, head: &[u8], last: bool) -> (State, usize) {
        if let Some((encoding, mark_bytes)) = Encoding::for_bom(head) {
            let state = match encoding {
                encoding if encoding == UTF_8 => State::Utf8,
                encoding => State::Other(encoding.new_decoder_without_bom_handling()),
            };
            return (state, mark_bytes);
        }
        match head {
            [1..=255, 0, 1..=255, 0, ..] => (State::Other(UTF_16LE.new_decoder()), 0),
            [0, 1..=255, 0, 1..=255, ..] => (State::Other(UTF_16BE.new_decoder()), 0),
            _ => {
                let head = head.get(..HEAD_BYTES).unwrap_or(head);
                let state = match count_characters(head, last) {
                    (0, 0) => State::Ascii(Vec::new()),
                    // One stray byte must not spoil all that is right, nor one chance pair of
                    // bytes make UTF-8 of the rest.
                    (utf8, other) if utf8 >= other => State::Utf8,
                    _ => self.windows_1252(),
                };
                (state, 0)
            }
        }
    }

    fn windows_1252(&mut self) -> State {
        self.guessed = true;
        State::Other(WINDOWS_1252.new_decoder_without_bom_handling())
    }
}

/// How many characters beyond ASCII the bytes have as UTF-8, and how many places that are none.
fn count_characters(bytes: &[u8], last: bool) -> (usize, usize) {
    let (mut utf8, mut other) = (0, 0);
    let mut seen = 0;
    for chunk in bytes.utf8_chunks() {
        utf8 += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        seen += chunk.valid().len() + chunk.invalid().len();
        let is_cut_off = seen == bytes.len() && !last;
        other += usize::from(!chunk.invalid().is_empty() && !is_cut_off);
    }
    (utf8, other)
}

fn begins_with_utf8(bytes: &[u8]) -> bool {
    let chunk = bytes.utf8_chunks().next();
    chunk.is_some_and(|chunk| !chunk.valid().is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(decoder: &mut Decoder, file: &[u8], chunk_bytes: usize) -> Vec<u8> {
        let mut text = Vec::new();
        for chunk in file.chunks(chunk_bytes) {
            text.extend(decoder.decode(chunk, false));
        }
        text.extend(decoder.decode(&[], true));
        text
    }

    fn decoded(file: &[u8]) -> String {
        let text = decode(&mut Decoder::default(), file, 3);
        String::from_utf8(text).expect("UTF-8")
    }

    fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let text = "Größe,Preis €\nS,\"1\"\n";
        assert_eq!(decoded(text.as_bytes()), text);
        assert_eq!(decoded(format!("\u{feff}{text}").as_bytes()), text);
        for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(decoded(&utf_16(&format!("\u{feff}{text}"), bytes_of)), text);
            assert_eq!(
                decoded(&utf_16("Handle,Größe\n", bytes_of)),
                "Handle,Größe\n"
            );
        }
        assert_eq!(decoded(b"Gr\xf6\xdfe,Preis \x80\n"), "Größe,Preis €\n");
        assert_eq!(decoded(b""), "");
    }

    #[test]
    fn the_first_character_beyond_a_plain_head_decides() {
        let plain = "a,b\n".repeat(HEAD_BYTES / 2);
        for (ending, expected) in [(&b"caf\xe9"[..], "café"), ("café".as_bytes(), "café")] {
            let text = decoded(&[plain.as_bytes(), ending].concat());
            assert!(text.ends_with(expected) && text.len() == plain.len() + expected.len());
        }
    }

    #[test]
    fn a_stray_byte_does_not_make_another_encoding_of_the_file() {
        let file = [b"\xe9 first\n", "é è ê\n".as_bytes()].concat();
        assert_eq!(decode(&mut Decoder::default(), &file, 5), file);
    }

    #[test]
    fn a_declared_encoding_is_believed() {
        let mut decoder = Decoder::declared("windows-1251").expect("a label");
        assert_eq!(decode(&mut decoder, b"\xd7\xe0\xe9", 1), "Чай".as_bytes());
        assert!(Decoder::declared("no-such").is_none());
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(file in prop::collection::vec(any::<u8>(), 0..200), chunk_bytes in 1usize..40) {
            let whole = decode(&mut Decoder::default(), &file, 1_000);
            prop_assert_eq!(decode(&mut Decoder::default(), &file, chunk_bytes), whole);
        }

        #[test]
        fn utf8_is_left_alone(file in ".{0,80}") {
            prop_assume!(!file.contains('\0') && !file.starts_with('\u{feff}'));
            prop_assert_eq!(decode(&mut Decoder::default(), file.as_bytes(), 7), file.into_bytes());
        }
    }
}
