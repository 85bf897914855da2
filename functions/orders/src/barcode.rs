//! The short code of a pass as Code 128 (ISO/IEC 15417), with itself written below.

use aisle_http::Error;
use barcoders::sym::code128::Code128;

use crate::font;
use crate::picture::Picture;

/// ISO/IEC 15417 wants this many light modules before and after the bars.
const QUIET_MODULES: usize = 10;
const BAR_HEIGHT: usize = 40;
/// Modules above the bars, between them and the text, and below the text.
const MARGIN: usize = 4;
/// Modules of a dot of the text.
const DOT: usize = 2;
/// Dots between two characters.
const GAP: usize = 3;
/// Character set B of the symbology, in the notation of `barcoders`.
const SET_B: char = '\u{0181}';

pub fn picture(code: &str) -> Result<Picture, Error> {
    let symbol = Code128::new(format!("{SET_B}{code}"))
        .map_err(|error| Error::internal(format!("{error:?}")))?;
    let bars = symbol.encode();
    let width = bars.len() + 2 * QUIET_MODULES;
    let text_y = MARGIN + BAR_HEIGHT + MARGIN;
    let height = text_y + font::HEIGHT * DOT + MARGIN;
    let mut picture = Picture::light(code, width, height);
    for (x, _) in bars.iter().enumerate().filter(|(_, bar)| **bar == 1) {
        picture.darken(x + QUIET_MODULES, MARGIN, 1, BAR_HEIGHT);
    }
    let step = (font::WIDTH + GAP) * DOT;
    let text_width = code.len() * step - GAP * DOT;
    let text_x = width.saturating_sub(text_width) / 2;
    for (index, character) in code.bytes().enumerate() {
        for (x, y) in font::dots(character) {
            let (x, y) = (text_x + index * step + x * DOT, text_y + y * DOT);
            picture.darken(x, y, DOT, DOT);
        }
    }
    Ok(picture)
}
