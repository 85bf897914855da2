//! Makes a retailer's HTML harmless.
//!
//! The output is written anew rather than repaired: a `<` leaves here only as one of
//! the tags of a short list, in lower case, closed, and without a single attribute;
//! everything else is text, in which `<` and `>` are escaped. No element of the list
//! changes how a browser reads what is inside it (no script, style, SVG, MathML,
//! template, text area, comment), so a browser cannot see tags other than these.

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
/// Elements whose content is no text for shoppers, and goes with them.
const DROPPED_WITH_CONTENT: &[&str] = &[
    "applet",
    "audio",
    "canvas",
    "embed",
    "frameset",
    "head",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
    "xmp",
];
const MAX_DEPTH: usize = 64;
const MAX_NAME_BYTES: usize = 16;
const MAX_REFERENCE_BYTES: usize = 34;

/// The same text with the kept tags only. What it returns it leaves unchanged.
pub fn sanitise(html: &str) -> String {
    let mut writer = Writer {
        out: String::with_capacity(html.len()),
        open: Vec::new(),
    };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        writer.text(text);
        rest = writer.markup(markup);
    }
    writer.text(rest);
    writer.close_down_to(0);
    writer.out.trim().to_owned()
}

struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Handles what begins with the `<` at the start of `markup`; returns what follows it.
    fn markup<'a>(&mut self, markup: &'a str) -> &'a str {
        let inside = markup.get(1..).unwrap_or_default();
        match inside.bytes().next() {
            Some(b'!') if inside.starts_with("!--") => {
                after(inside.get(3..).unwrap_or_default(), "-->")
            }
            Some(b'!' | b'?') => after(inside, ">"),
            Some(b'/') => self.end_tag(inside.get(1..).unwrap_or_default()),
            Some(letter) if letter.is_ascii_alphabetic() => self.start_tag(inside),
            _ => {
                self.out.push_str("&lt;");
                inside
            }
        }
    }

    fn start_tag<'a>(&mut self, inside: &'a str) -> &'a str {
        let (name, rest) = split_name(inside);
        let rest = after_attributes(rest);
        if DROPPED_WITH_CONTENT.contains(&name.as_str()) {
            return after_end_tag(rest, &name);
        }
        if let Some(kept) = KEPT.iter().find(|kept| **kept == name) {
            self.open_element(kept);
        }
        rest
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
        after_attributes(rest)
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

/// What follows the `>` that ends the tag. One inside a quoted attribute value does not.
fn after_attributes(rest: &str) -> &str {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return rest.get(at + 1..).unwrap_or_default(),
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    ""
}

/// What follows the end tag of an element whose content goes with it.
fn after_end_tag<'a>(content: &'a str, name: &str) -> &'a str {
    let mut rest = content;
    while let Some(at) = rest.find("</") {
        let (found, after) = split_name(rest.get(at + 2..).unwrap_or_default());
        rest = after;
        if found == name {
            return after_attributes(rest);
        }
    }
    ""
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
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
            assert_eq!(sanitise(html), kept, "{html}");
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
            let safe = sanitise(html);
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
            sanitise("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "&lt;script&gt;alert(1)&lt;/script&gt;"
        );
    }

    #[test]
    fn depth_has_a_limit() {
        let safe = sanitise(&"<div>".repeat(10_000));
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
            ])
            .prop_map(str::to_owned),
            ".{0,4}",
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_markup_gets_through(html in markup()) {
            let safe = sanitise(&html);
            assert_harmless(&safe);
            prop_assert_eq!(sanitise(&safe), safe);
        }
    }
}
