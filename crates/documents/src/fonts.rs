//! The four fonts that certificates are set in, compressed in the binary.
//!
//! They are unpacked one by one when a document first asks for them: a server that has not yet
//! issued anything does not hold 21 MB of glyphs in memory.

use std::sync::{LazyLock, OnceLock};

use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Latin letters, figures, superscripts and subscripts come from Source Sans 3; everything else
/// from Noto Sans SC, which covers GB 2312, GBK and rare characters of names (䶮, 㛃, 𬭎).
static PACKED: [&[u8]; 4] = [
    include_bytes!("../../../static/fonts/SourceSans3-Regular.ttf.zst"),
    include_bytes!("../../../static/fonts/SourceSans3-Bold.ttf.zst"),
    include_bytes!("../../../static/fonts/NotoSansSC-Regular.ttf.zst"),
    include_bytes!("../../../static/fonts/NotoSansSC-Bold.ttf.zst"),
];

static LOADED: [OnceLock<Option<Font>>; 4] = [const { OnceLock::new() }; 4];

static INFOS: LazyLock<Vec<FontInfo>> = LazyLock::new(|| {
    // The unpacked bytes are dropped again here; only families, styles and coverage stay.
    PACKED.iter().filter_map(|packed| FontInfo::new(&unpack(packed)?, 0)).collect()
});

static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_infos(INFOS.iter().cloned())));

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    zstd::decode_all(packed).ok()
}

/// The catalogue of the fonts, in the order of [`font`].
pub(super) fn book() -> &'static LazyHash<FontBook> {
    &BOOK
}

/// The font at `index` of the catalogue, unpacked on first use.
pub(super) fn font(index: usize) -> Option<Font> {
    LOADED.get(index)?.get_or_init(|| Font::new(Bytes::new(unpack(PACKED[index])?), 0)).clone()
}

/// Characters of `text` that no certificate font has, each once, in order of appearance.
///
/// Forms check names with it on entry: under PDF/A a missing glyph refuses the whole document,
/// so it must be an error of the form and not a failed issue. A line break is allowed; other
/// control characters are reported like missing glyphs.
pub fn missing_glyphs(text: &str) -> Vec<char> {
    let mut missing = Vec::new();
    for character in text.chars() {
        if character != '\n' && !missing.contains(&character) && !printable(character) {
            missing.push(character);
        }
    }
    missing
}

/// One bit a code point that both weights have: the same text may be printed in either. The
/// fonts' own tables are run lengths, which take microseconds a character to search.
static COVERED: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let words = (u32::from(char::MAX) as usize).div_ceil(64) + 1;
    let mut weights = [vec![0u64; words], vec![0u64; words]];
    for (index, info) in INFOS.iter().enumerate() {
        for code in info.coverage.iter() {
            if let Some(word) = weights[index % 2].get_mut(code as usize / 64) {
                *word |= 1 << (code % 64);
            }
        }
    }
    let [regular, bold] = weights;
    regular.iter().zip(&bold).map(|(r, b)| r & b).collect()
});

/// Whether a character can be printed: it is one that a reader sees, and both weights of a font have it.
pub(super) fn printable(character: char) -> bool {
    let code = u32::from(character);
    !character.is_control()
        && !unseen(character)
        && COVERED.get(code as usize / 64).is_some_and(|word| word & (1 << (code % 64)) != 0)
}

/// Characters that nobody sees, though some change what is seen: marks of direction, joiners, tags, noncharacters and
/// those of private use.
#[must_use]
pub fn unseen(character: char) -> bool {
    let code = u32::from(character);
    matches!(code,
        0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F
        | 0xFEFF | 0xFFF9..=0xFFFC | 0xE000..=0xF8FF | 0xE0000..=0xE0FFF | 0xF0000..)
        || code & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fonts_load_and_keep_their_order() {
        let families: Vec<&str> = INFOS.iter().map(|info| info.family.as_str()).collect();
        assert_eq!(families, ["Source Sans 3", "Source Sans 3", "Noto Sans SC", "Noto Sans SC"]);
        for (index, info) in INFOS.iter().enumerate() {
            let font = font(index).expect("font");
            assert_eq!(font.info().variant, info.variant);
        }
        assert!(font(4).is_none());
    }

    #[test]
    fn rare_characters_of_names_are_covered_and_missing_ones_are_named_once() {
        assert!(missing_glyphs("王䶮 张㛃 𬭎 ≥97.0% 10⁶ CO₂ μg ℃ ± ～ 【】《》“”—…×≤Δ①").is_empty());
        assert_eq!(missing_glyphs("a😀b\u{7}😀"), ['😀', '\u{7}']);
        assert!(missing_glyphs("line\nbreak").is_empty());
    }
}
