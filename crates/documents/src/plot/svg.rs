//! Writing SVG: escaped text, short numbers, title and description first.

use std::fmt::Write;

/// Families that Chinese workplaces have, those of the certificates first; the typesetter finds its own by name.
const FONTS: &str = "'Source Sans 3', 'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', \
                     'PingFang SC', 'WenQuanYi Micro Hei', sans-serif";

pub(super) const INK: &str = "#1b2430";
pub(super) const SOFT: &str = "#5b6675";
pub(super) const GRID: &str = "#e1e6ec";
pub(super) const AXIS: &str = "#8a95a3";
/// Colours of traces: distinguishable also for those who do not see red and green.
pub(super) const COLOURS: [&str; 6] = ["#0b4a8f", "#c2410c", "#0f766e", "#9d174d", "#6d5a00", "#5b21b6"];

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    const fn as_str(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A picture being drawn.
pub(super) struct Canvas {
    out: String,
}

impl Canvas {
    /// A picture of this many pixels, with what a screen reader says of it.
    pub(super) fn new(width: f64, height: f64, title: &str, desc: &str) -> Self {
        let (width, height) = (short(width), short(height));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" font-family=\"{FONTS}\" font-size=\"12\" fill=\"{INK}\">"
        );
        let _ = write!(out, "<title>{}</title><desc>{}</desc>", escaped(title), escaped(desc));
        let _ = write!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>");
        Self { out }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
        let (x1, y1, x2, y2, width) = (short(from.0), short(from.1), short(to.0), short(to.1), short(width));
        let _ = write!(
            self.out,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        );
    }

    /// Lines through points, lifted where a point is not a number. Places are written in tenths of a pixel, each
    /// from the one before: a third of the length of absolute ones.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let mut d = String::new();
        let mut pen: Option<(f64, f64)> = None;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                pen = None;
                continue;
            }
            let (x, y) = ((x * 10.0).round(), (y * 10.0).round());
            let _ = match pen {
                None => write!(d, "M{} {}l", short(x / 10.0), short(y / 10.0)),
                // The first pair after the letter needs no blank, nor does one that begins with a sign.
                Some((px, py)) => {
                    let (dx, dy) = (short((x - px) / 10.0), short((y - py) / 10.0));
                    let between = if d.ends_with('l') || dx.starts_with('-') { "" } else { " " };
                    write!(d, "{between}{dx}{}{dy}", if dy.starts_with('-') { "" } else { " " })
                }
            };
            pen = Some((x, y));
        }
        // A lone point would be an empty line.
        let d = d.replace("lM", "l0 0M");
        let d = d.strip_suffix('l').map_or_else(|| d.clone(), |lone| format!("{lone}l0 0"));
        if !d.is_empty() {
            let _ = write!(
                self.out,
                "<path d=\"{d}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\" stroke-linejoin=\"round\" \
                 stroke-linecap=\"round\"/>",
                short(width)
            );
        }
    }

    /// A filled rectangle, with a border where one is given, and a word that appears under the pointer.
    pub(super) fn rect(&mut self, (x, y, w, h): (f64, f64, f64, f64), fill: &str, border: Option<&str>, title: &str) {
        let _ = write!(
            self.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"",
            short(x),
            short(y),
            short(w),
            short(h)
        );
        if let Some(border) = border {
            let _ = write!(self.out, " stroke=\"{border}\" stroke-width=\"2\"");
        }
        self.close("rect", title);
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: &str, title: &str) {
        let _ = write!(
            self.out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\" stroke=\"#fff\" stroke-width=\".7\"",
            short(x),
            short(y),
            short(radius)
        );
        self.close("circle", title);
    }

    fn close(&mut self, tag: &str, title: &str) {
        if title.is_empty() {
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "><title>{}</title></{tag}>", escaped(title));
        }
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, size: f64, colour: &str, anchor: Anchor) {
        if text.is_empty() {
            return;
        }
        let _ = write!(
            self.out,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{colour}\" text-anchor=\"{}\">{}</text>",
            short(x),
            short(y),
            short(size),
            anchor.as_str(),
            escaped(text)
        );
    }

    /// Text that runs upwards from its place.
    pub(super) fn upright(&mut self, (x, y): (f64, f64), text: &str, size: f64, colour: &str, anchor: Anchor) {
        let (x, y) = (short(x), short(y));
        let _ = write!(
            self.out,
            "<text transform=\"translate({x} {y}) rotate(-90)\" font-size=\"{}\" fill=\"{colour}\" \
             text-anchor=\"{}\">{}</text>",
            short(size),
            anchor.as_str(),
            escaped(text)
        );
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// A number with at most two decimals: a hundredth of a pixel is not seen.
pub(super) fn short(number: f64) -> String {
    if !number.is_finite() {
        return "0".to_owned();
    }
    let mut text = format!("{number:.2}");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if text == "-0" { "0".to_owned() } else { text }
}

/// Text for an element: markup escaped; characters that XML cannot hold at all become a replacement sign.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}

/// Roughly how wide a text is, in pixels: Chinese characters are as wide as they are high.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    let units: f64 = text.chars().map(|sign| if u32::from(sign) > 0x2e80 { 1.0 } else { 0.56 }).sum();
    units * size
}

/// A text cut to a width, with an ellipsis where it was cut.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for sign in text.chars() {
        if width_of(&kept, size) + width_of(&format!("{sign}…"), size) > width {
            break;
        }
        kept.push(sign);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_file_becomes_markup() {
        assert_eq!(escaped("<script>&\"'\u{2}"), "&lt;script&gt;&amp;&quot;&#39;\u{fffd}");
        assert_eq!(short(-0.001), "0");
        assert_eq!(short(12.50), "12.5");
        assert_eq!(fitted("峰面积峰面积", 10.0, 35.0), "峰面…");
        assert_eq!(fitted("abc", 10.0, 35.0), "abc");
    }
}
