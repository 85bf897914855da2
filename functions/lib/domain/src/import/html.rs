//! Makes a retailer's HTML harmless.
//!
//! The output is written anew rather than repaired: a `<` leaves here only as one of
//! the tags of a short list, in lower case, closed, and without a single attribute;
//! everything else is text, in which `<` and `>` are escaped. No element of the list
//! changes how a browser reads what is inside it (no script, style, SVG, MathML,
//! template, text area, comment), so a browser cannot see tags other than these.

use super::header::Column;
use super::report::Report;
use super::table::Row;

/// Elements that may stay. None has content that browsers read by other rules.
const KEPT: &[&str] = &[
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];
/// Elements of [`KEPT`] that have no end tag.
const VOID: &[&str] = &["br", "hr"];
/// Elements of [`KEPT`] that end an open paragraph.
const BLOCKS: &[&str] = &[
    "blockquote",
    "div",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
];
/// Elements of [`KEPT`] that end an open one of their own kind.
const SIBLINGS: &[&str] = &["dd", "dt", "li", "td", "th", "tr"];
/// Elements whose content is no text for shoppers, and goes with them. None is void: what
/// follows a tag that cannot have content must not go with it.
const DROPPED_WITH_CONTENT: &[&str] = &[
    "applet", "audio", "canvas", "iframe", "noembed", "noframes", "noscript", "object", "script",
    "select", "style", "template", "textarea", "title", "video", "xmp",
];
/// Elements of other languages than HTML. They also end where one of [`KEPT`] begins (HTML
/// Standard, 13.2.6.5).
const FOREIGN: &[&str] = &["math", "svg"];
/// Elements of [`DROPPED_WITH_CONTENT`] whose content nobody could read.
const CODE: &[&str] = &["script", "style"];
const MAX_DEPTH: usize = 64;
const MAX_NAME_BYTES: usize = 16;
const MAX_REFERENCE_BYTES: usize = 34;

/// HTML that can do no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sanitised {
    pub html: String,
    /// What never ended, so that all that followed it had to be left out, as browsers do.
    pub unclosed: Option<&'static str>,
}

/// The same text with the kept tags only. What it returns it leaves unchanged.
pub fn sanitise(html: &str) -> Sanitised {
    let mut writer = Writer {
        out: String::with_capacity(html.len()),
        ..Writer::default()
    };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        writer.text(text);
        rest = writer.markup(markup);
    }
    writer.text(rest);
    writer.close_down_to(0);
    Sanitised {
        html: writer.out.trim().to_owned(),
        unclosed: writer.unclosed,
    }
}

/// The cell of a description as harmless HTML, with a warning where something never ends.
pub fn body(column: &Column, row: &Row, report: &mut Report) -> String {
    cleaned(column, row, column.cell(row), report)
}

/// The same for text that was made of the cell.
pub fn cleaned(column: &Column, row: &Row, text: &str, report: &mut Report) -> String {
    let Sanitised { html, unclosed } = sanitise(text);
    if let Some(what) = unclosed {
        let reason = format!("{what} is never closed; what follows it is left out");
        report.warn(column.fault(row, reason));
    }
    html
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<&'static str>,
    unclosed: Option<&'static str>,
    /// Elements whose end was looked for in all that is left, so that nobody does it again.
    endless: Vec<&'static str>,
}

impl Writer {
    /// Handles what begins with the `<` at the start of `markup`; returns what follows it.
    fn markup<'a>(&mut self, markup: &'a str) -> &'a str {
        let inside = markup.get(1..).unwrap_or_default();
        match inside.bytes().next() {
            Some(b'!') if inside.starts_with("!--") => {
                let rest = after_comment(inside.get(3..).unwrap_or_default());
                self.or_unclosed(rest, "a comment")
            }
            Some(b'!' | b'?') => self.or_unclosed(after(inside, ">"), "a declaration"),
            Some(b'/') => self.end_tag(inside.get(1..).unwrap_or_default()),
            Some(letter) if letter.is_ascii_alphabetic() => self.start_tag(inside),
            _ => {
                self.out.push_str("&lt;");
                inside
            }
        }
    }

    /// What follows, which is nothing after something that does not end.
    fn or_unclosed<'a>(&mut self, rest: Option<&'a str>, what: &'static str) -> &'a str {
        rest.unwrap_or_else(|| {
            self.unclosed = Some(what);
            ""
        })
    }

    fn start_tag<'a>(&mut self, inside: &'a str) -> &'a str {
        let (name, rest) = split_name(inside);
        let after_tag = after_attributes(rest);
        let rest = self.or_unclosed(after_tag, "a tag");
        let among = |list: &[&'static str]| list.iter().copied().find(|known| *known == name);
        if let Some(kept) = among(KEPT) {
            self.open_element(kept);
        } else if let Some(foreign) = among(FOREIGN).filter(|_| !is_empty(inside, rest)) {
            return self.skip(foreign, rest, after_foreign);
        } else if let Some(dropped) = among(DROPPED_WITH_CONTENT) {
            // Browsers do not know empty scripts, but whoever wrote one meant it.
            if !(CODE.contains(&dropped) && is_empty(inside, rest)) {
                return self.skip(dropped, rest, after_end_tag);
            }
        }
        rest
    }

    /// What follows the element. Where it never ends only its tag goes, lest all that follows
    /// does, unless that is nothing to read.
    fn skip<'a>(
        &mut self,
        name: &'static str,
        content: &'a str,
        find: fn(&'a str, &str) -> Option<&'a str>,
    ) -> &'a str {
        let found = match self.endless.contains(&name) {
            true => None,
            false => find(content, name),
        };
        if found.is_none() && CODE.contains(&name) {
            return self.or_unclosed(None, name);
        }
        found.unwrap_or_else(|| {
            self.endless.push(name);
            content
        })
    }

    fn open_element(&mut self, name: &'static str) {
        let last = self.open.last().copied().unwrap_or_default();
        if last == "p" && BLOCKS.contains(&name) || last == name && SIBLINGS.contains(&name) {
            self.close_down_to(self.open.len() - 1);
        }
        if self.open.len() >= MAX_DEPTH {
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        if !VOID.contains(&name) {
            self.open.push(name);
        }
    }

    fn end_tag<'a>(&mut self, inside: &'a str) -> &'a str {
        let (name, rest) = split_name(inside);
        if let Some(depth) = self.open.iter().rposition(|open| *open == name) {
            self.close_down_to(depth);
        }
        self.or_unclosed(after_attributes(rest), "a tag")
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let name = self.open.pop().unwrap_or_default();
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }

    fn text(&mut self, text: &str) {
        for (at, character) in text.char_indices() {
            match character {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' if !begins_reference(text.get(at + 1..).unwrap_or_default()) => {
                    self.out.push_str("&amp;")
                }
                control if control.is_control() && !matches!(control, '\n' | '\t') => {}
                other => self.out.push(other),
            }
        }
    }
}

/// Whether this continues `&` to a character reference, such as `amp;` or `#233;`.
fn begins_reference(text: &str) -> bool {
    let Some(length) = text
        .bytes()
        .take(MAX_REFERENCE_BYTES)
        .position(|byte| byte == b';')
    else {
        return false;
    };
    let name = text.get(..length).unwrap_or_default();
    let (digits, is_digit): (&str, fn(&u8) -> bool) = match name.as_bytes() {
        [b'#', b'x' | b'X', ..] => (name.get(2..).unwrap_or_default(), u8::is_ascii_hexdigit),
        [b'#', ..] => (name.get(1..).unwrap_or_default(), u8::is_ascii_digit),
        _ => (name, u8::is_ascii_alphanumeric),
    };
    !digits.is_empty() && digits.as_bytes().iter().all(is_digit)
}

/// The element's name in lower case, and what follows it.
fn split_name(inside: &str) -> (String, &str) {
    let length = inside
        .bytes()
        .take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'>'))
        .count();
    let (name, rest) = inside.split_at(length);
    let short = if name.len() <= MAX_NAME_BYTES {
        name
    } else {
        ""
    };
    (short.to_ascii_lowercase(), rest)
}

/// What follows the `>` that ends the tag. One inside a quoted attribute value does not, unless
/// the quotation mark is never closed.
fn after_attributes(rest: &str) -> Option<&str> {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return rest.get(at + 1..),
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    after(rest, ">")
}

/// Whether the tag that ends where `rest` begins is written as that of an empty element.
fn is_empty(tag: &str, rest: &str) -> bool {
    let tag = tag.get(..tag.len() - rest.len()).unwrap_or_default();
    tag.ends_with("/>")
}

/// What follows the end tag of an element whose content goes with it.
fn after_end_tag<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = content;
    while let Some(at) = rest.find("</") {
        let (found, after) = split_name(rest.get(at + 2..).unwrap_or_default());
        rest = after;
        if found == name {
            return Some(after_attributes(rest).unwrap_or_default());
        }
    }
    None
}

/// What follows an element of another language: its end tag, or HTML begins.
fn after_foreign<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = content;
    let mut depth = 1;
    while let Some(at) = rest.find('<') {
        let markup = rest.get(at..).unwrap_or_default();
        let inside = markup.get(1..).unwrap_or_default();
        let (is_end, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let (found, after) = split_name(inside);
        rest = inside;
        if found == name {
            rest = after_attributes(after)?;
            depth += match is_end {
                true => -1,
                false => i32::from(!is_empty(after, rest)),
            };
            if depth == 0 {
                return Some(rest);
            }
        } else if KEPT.contains(&found.as_str()) {
            return Some(markup);
        }
    }
    None
}

/// What follows a comment's end (HTML Standard, 13.2.5.43 to 13.2.5.51).
fn after_comment(content: &str) -> Option<&str> {
    let mut marks = content.match_indices('>');
    let (at, _) = marks.find(|(at, _)| {
        let comment = content.get(..*at).unwrap_or_default();
        matches!(comment, "" | "-") || comment.ends_with("--") || comment.ends_with("--!")
    })?;
    content.get(at + 1..)
}

fn after<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    text.split_once(end).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_keeps_its_structure() {
        for (html, kept) in [
            (
                "<p>Waxed cotton, <strong>made to last</strong>.</p>",
                "<p>Waxed cotton, <strong>made to last</strong>.</p>",
            ),
            (
                "<UL><LI>One<li>Two</ul>",
                "<ul><li>One</li><li>Two</li></ul>",
            ),
            ("<p>One<p>Two", "<p>One</p><p>Two</p>"),
            (
                "<p style=\"color:red\" data-x='>'>Text<br/>more</p>",
                "<p>Text<br>more</p>",
            ),
            (
                "<a href=\"https://a.example\">Care</a> <span>guide</span>",
                "Care guide",
            ),
            (
                "12\" x 3 < 5 & 7 &amp; &eacute; &#233; &bogus",
                "12\" x 3 &lt; 5 &amp; 7 &amp; &eacute; &#233; &amp;bogus",
            ),
            ("a <- b <3", "a &lt;- b &lt;3"),
            ("<b>unclosed", "<b>unclosed</b>"),
            ("closed</b> twice</p>", "closed twice"),
            ("<!-- note --><p>Text</p><!-- open", "<p>Text</p>"),
        ] {
            assert_eq!(sanitise(html).html, kept, "{html}");
        }
    }

    #[test]
    fn nothing_goes_with_a_tag_that_has_no_content() {
        let kept = "<p>Intro</p><p>Wash at 30 degrees.</p>";
        for between in [
            "<embed src=\"x\">",
            "<head>",
            "<head><meta name=x><title>T</title><link rel=x><style>p{}</style></head>",
            "<img src=x><input><source><track><param><wbr><frame><base href=x>",
            "<!-- note --!>",
            "<!-->",
            "<!--->",
            "<!-- a -- b -->",
            "<object data=x>",
            "<video src=x>",
            "<iframe src=x>",
            "<noscript>",
            "<textarea>",
            "<plaintext>",
            "<svg viewBox=x><path d=x>",
            "<svg><g/></svg>",
            "<svg/>",
            "<svg><svg></svg><text>x</text></svg>",
            "<script src=x />",
            "<a href=\"x>",
            "<frameset><noframes></noframes>",
        ] {
            let html = format!("<p>Intro</p>{between}<p>Wash at 30 degrees.</p>");
            let safe = sanitise(&html);
            assert_eq!((safe.html.as_str(), safe.unclosed), (kept, None), "{html}");
        }
    }

    #[test]
    fn what_never_ends_is_told() {
        for (html, safe_html, unclosed) in [
            ("<p>A</p><script>alert(1)", "<p>A</p>", Some("script")),
            ("<p>A</p><style>p{}", "<p>A</p>", Some("style")),
            ("<p>A</p><!-- b", "<p>A</p>", Some("a comment")),
            ("<p>A</p><b", "<p>A</p><b></b>", Some("a tag")),
            ("<p>A</p><iframe src=x>", "<p>A</p>", None),
        ] {
            let safe = sanitise(html);
            assert_eq!((safe.html.as_str(), safe.unclosed), (safe_html, unclosed));
        }
    }

    #[test]
    fn many_elements_without_end_are_looked_for_once() {
        for tag in ["<object>", "<svg>", "<svg><p>", "<a href='>"] {
            let safe = sanitise(&tag.repeat(200_000)).html;
            assert_harmless(&safe);
        }
    }

    #[test]
    fn hostile_markup_leaves_nothing_that_runs() {
        for html in [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=//evil.example/x.js></SCRIPT >",
            "<scr<script>ipt>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<img src=\"x\" onerror=\"alert(1)\"",
            "<svg><script>alert(1)</script></svg>",
            "<svg/onload=alert(1)>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<template><img src=x onerror=alert(1)></template>",
            "<p onclick=alert(1)>x</p>",
            "<p/onmouseover=alert(1)>x",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
            "<style>@import '//evil.example'</style>",
            "<xmp><p title=\"</xmp><svg/onload=alert(1)>\">",
            "<textarea></textarea><img src=x onerror=alert(1)>",
            "<title></title><svg onload=alert(1)>",
            "<!--><img src=x onerror=alert(1)>-->",
            "<!--!> <img src=x onerror=alert(1)> -->",
            "<![CDATA[><img src=x onerror=alert(1)>]]>",
            "<?xml ><img src=x onerror=alert(1)>?>",
            "<form><button formaction=javascript:alert(1)>x",
            "<meta http-equiv=refresh content=0;url=//evil.example><base href=//evil.example>",
            "<plaintext><img src=x onerror=alert(1)>",
            "<p\u{0}script>alert(1)</p>",
            "<<img src=x onerror=alert(1)>",
            "<div><p id=\"</p><script>alert(1)</script>\">",
        ] {
            let safe = sanitise(html).html;
            assert_harmless(&safe);
            assert!(
                !safe.contains("onerror") && !safe.contains("<s") && !safe.contains("javascript"),
                "{html} became {safe}"
            );
        }
    }

    #[test]
    fn what_is_written_as_text_stays_text() {
        assert_eq!(
            sanitise("&lt;script&gt;alert(1)&lt;/script&gt;").html,
            "&lt;script&gt;alert(1)&lt;/script&gt;"
        );
    }

    #[test]
    fn depth_has_a_limit() {
        let safe = sanitise(&"<div>".repeat(10_000)).html;
        assert_eq!(safe.matches("<div>").count(), MAX_DEPTH);
        assert_harmless(&safe);
    }

    /// Every `<` begins a whole tag of the list without attributes, and all are balanced.
    fn assert_harmless(html: &str) {
        let mut open = Vec::new();
        for markup in html.split('<').skip(1) {
            let (tag, text) = markup.split_once('>').expect("a tag that ends");
            assert!(!text.contains('>'), "{html}");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
                None => {
                    assert!(KEPT.contains(&tag), "{tag} in {html}");
                    if !VOID.contains(&tag) {
                        open.push(tag);
                    }
                }
            }
        }
        assert!(open.is_empty(), "{html}");
    }

    fn markup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "<",
                ">",
                "/",
                "</",
                "<!--",
                "-->",
                "\"",
                "'",
                "=",
                "&",
                ";",
                "#",
                " ",
                "p",
                "script",
                "<p>",
                "</p>",
                "<script>",
                "</script>",
                "<svg",
                "onload=",
                "<b ",
                "<li>",
                "<ul>",
                "</ul>",
                "\n",
                "<![CDATA[",
                "]]>",
                "é",
                "&lt;",
                "<br/>",
                "<embed>",
                "<svg>",
                "</svg>",
                "<object>",
                "--!>",
            ])
            .prop_map(str::to_owned),
            ".{0,4}",
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_markup_gets_through(html in markup()) {
            let safe = sanitise(&html).html;
            assert_harmless(&safe);
            prop_assert_eq!(sanitise(&safe).html, safe);
        }
    }
}
