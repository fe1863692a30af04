//! Signs that a text was decoded in the wrong way: what no instrument writes, and letters that do not come together in
//! any language. The wrong guess leaves them; they are reported, never passed over.

use std::collections::BTreeSet;

use encoding_rs::{GB18030, WINDOWS_1252};

/// Characters that make up much of any Chinese text, and those of the names of substances, tests and units.
const FREQUENT: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后\
多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日\
那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题\
程展五果料象员位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则\
任取据处世车更教支单标准值检测试验结果报告编号批仪器方名称操作者间日温度湿积率峰保留面高浓含样品空白对照供溶液稀释倍序列进针通道波长吸光\
酸盐钠钾钙镁铵氨氯氟溴碘硝硫磷碳氢氧甲乙丙丁戊己庚辛壬癸烷烯炔苯酚醇醛酮酯醚胺酰羟羰巯基嘧啶吡唑噻噁嗪吲哚喹啉哌咪嘌呤胍脲肼腙肟萘蒽菲\
毫克升微摩尔分秒度米页共第卡尔费休滴定菌落培养素霉药片胶囊注射丸散膏剂省市县所院局厂限公司张王李赵刘陈杨黄周吴";

/// So many different characters in no common use are neither a name nor a substance any more.
const ENOUGH: usize = 6;

/// Signs of measures and quotes, which come anywhere.
const SIGNS: &str = "µ°±²³¹·×÷§©®™–—‘’“”…•€£½¼¾«»¶‰\u{a0}ºØø";

/// Controls that belong to protocols and printers rather than to a wrong guess.
const PROTOCOL: [char; 15] = [
    '\t', '\n', '\r', '\u{b}', '\u{c}', '\u{1a}', '\u{1b}', '\u{1c}', '\u{2}', '\u{3}', '\u{4}', '\u{5}', '\u{6}',
    '\u{15}', '\u{17}',
];

/// Where a text seems to be decoded in the wrong way, and by what sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Counts from 1.
    pub line: u32,
    pub what: String,
}

/// The first sign of each kind.
pub(crate) fn doubts(text: &str, encoding: &str) -> Vec<Doubt> {
    if text.is_ascii() && !text.bytes().any(|b| b < b' ' && !PROTOCOL.contains(&char::from(b))) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let signs: [fn(&str, &str) -> Option<(usize, String)>; 5] =
        [strange, broken_before, double, either_way, unfrequent];
    for sign in signs {
        if let Some((at, what)) = sign(text, encoding) {
            found.push(Doubt { line: line_of(text, at), what });
        }
    }
    found
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    let ends = before.bytes().filter(|b| *b == b'\n').count();
    let alone = if ends == 0 { before.bytes().filter(|b| *b == b'\r').count() } else { 0 };
    u32::try_from(ends + alone).unwrap_or(u32::MAX).saturating_add(1)
}

/// Control and private-use characters.
fn strange(text: &str, _: &str) -> Option<(usize, String)> {
    let private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    // A NUL is a broken text already.
    let control = |c: char| c.is_control() && c != '\0' && !PROTOCOL.contains(&c);
    let (at, c) = text.char_indices().find(|(_, c)| private(*c) || control(*c))?;
    let kind = if private(c) { "private-use" } else { "control" };
    Some((at, format!("a {kind} character (U+{:04X}) that no such file has", u32::from(c))))
}

/// What was lost in a conversion before the file came.
fn broken_before(text: &str, _: &str) -> Option<(usize, String)> {
    let places = ["锟斤拷", "烫烫烫", "屯屯屯", "\u{fffd}", "锘縎", "ï»¿"].iter().filter_map(|sign| text.find(sign));
    let at = places.min()?;
    Some((at, "characters that another program put in the place of what it could not decode".to_owned()))
}

/// Bytes of another encoding that were taken for Western letters, here or by the program that wrote the file.
fn double(text: &str, encoding: &str) -> Option<(usize, String)> {
    for (here, run) in runs(text, is_of_windows_1252) {
        // Dashes, dots and quotes come together in any text.
        if run.chars().all(|c| SIGNS.contains(c)) {
            continue;
        }
        let (bytes, ..) = WINDOWS_1252.encode(run);
        let utf_8 = run.chars().count() >= 2 && std::str::from_utf8(&bytes).is_ok();
        if utf_8 {
            return Some((here, format!("\"{}\" is UTF-8 that was taken for Western letters", shown(run))));
        }
        let chinese = GB18030.decode_without_bom_handling_and_without_replacement(&bytes);
        let (letters, pairs) =
            (run.chars().count(), chinese.as_deref().map_or(0, |c| c.chars().filter(|c| is_hanzi(*c)).count()));
        let unlike = encoding == "windows-1252" && letters >= 2 && !is_western(run);
        if (letters >= 4 && letters % 2 == 0 && pairs * 2 == letters) || unlike {
            return Some((here, format!("\"{}\" stands together in no Western language", shown(run))));
        }
    }
    None
}

/// The longest stretches of such characters, and where each begins.
fn runs(text: &str, is_one: fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(move |c| !is_one(c)).filter_map(move |run| {
        let here = at;
        let behind = text.get(here + run.len()..).unwrap_or_default();
        at = here + run.len() + behind.chars().next().map_or(0, char::len_utf8);
        (!run.is_empty()).then_some((here, run))
    })
}

fn is_of_windows_1252(c: char) -> bool {
    let mut buffer = [0; 4];
    !c.is_ascii() && !WINDOWS_1252.encode(c.encode_utf8(&mut buffer)).2
}

/// True where a text in UTF-8 has the same bytes as characters of common use in GB18030, and nothing else beyond ASCII:
/// these are two bytes each in both.
fn is_chinese_as_well(text: &str) -> bool {
    let mut buffer = [0; 4];
    let mut beyond = text.chars().filter(|c| !c.is_ascii()).peekable();
    let common = |c: char| matches!(*c.encode_utf8(&mut buffer).as_bytes(), [0xb0..=0xd7, 0xa1..=0xfe]);
    beyond.peek().is_some() && beyond.all(common)
}

/// True where such a text would be in letters that no instrument writes: 一 has the bytes of a Bashkir letter.
pub(crate) fn is_rather_chinese(text: &str) -> bool {
    let is_written = |c: char| matches!(c, '\0'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{45f}');
    is_chinese_as_well(text) && !text.chars().all(is_written)
}

/// Letters apart from any ASCII one in a text that may be Chinese as well: 鲁梅 has the bytes of two signs in UTF-8.
fn either_way(text: &str, encoding: &str) -> Option<(usize, String)> {
    if encoding != "UTF-8" || !is_chinese_as_well(text) {
        return None;
    }
    let apart = |at: usize, run: &str| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + run.len()..).and_then(|behind| behind.chars().next());
        ![before, behind].into_iter().flatten().any(|c| c.is_ascii_alphanumeric())
    };
    let (at, run) = runs(text, |c| !c.is_ascii()).find(|(at, run)| run.chars().count() >= 2 && apart(*at, run))?;
    let chinese = GB18030.decode_without_bom_handling(run.as_bytes()).0;
    Some((at, format!("\"{}\" may be \"{}\" in GB18030 as well", shown(run), shown(&chinese))))
}

/// Chinese characters that Chinese texts do not have: another encoding was taken for GB18030, or was written as if.
fn unfrequent(text: &str, encoding: &str) -> Option<(usize, String)> {
    let (mut all, mut frequent, mut rare, mut kana) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut first = None;
    let (mut different, mut different_rare) = (BTreeSet::new(), BTreeSet::new());
    for (at, c) in text.char_indices() {
        if matches!(c, '\u{3040}'..='\u{30ff}') {
            kana += 1;
        } else if is_hanzi(c) {
            all += 1;
            first.get_or_insert(at);
            if FREQUENT.contains(c) {
                frequent += 1;
            } else {
                different.insert(c);
                let mut buffer = [0; 4];
                if !is_gb_2312(c.encode_utf8(&mut buffer)) {
                    rare += 1;
                    different_rare.insert(c);
                }
            }
        }
    }
    let first = first?;
    let what = if encoding == "gb18030" && kana * 4 >= all.max(4) {
        "Japanese syllables in a text that was taken for GB18030"
    } else if encoding == "gb18030" && different_rare.len() >= ENOUGH && rare * 2 > all {
        "more than half of its Chinese characters are in no common use"
    } else if all >= 16 && different.len() >= 8 && frequent * 12 < all {
        "hardly one of its Chinese characters is a frequent one"
    } else {
        return None;
    };
    Some((first, what.to_owned()))
}

fn is_hanzi(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// True for a character of GB 2312, the set of common use.
fn is_gb_2312(c: &str) -> bool {
    let (bytes, ..) = GB18030.encode(c);
    matches!(*bytes, [0xb0..=0xf7, 0xa1..=0xfe])
}

fn shown(run: &str) -> String {
    run.chars().take(20).collect()
}

/// True where the bytes from `start` to `end`, taken for Windows-1252, are among their neighbours as Western letters are.
pub(crate) fn reads_as_western(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied().filter(u8::is_ascii);
    let behind = bytes.get(end..).and_then(<[u8]>::first).copied();
    let run = bytes.get(start..end).unwrap_or_default();
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(run);
    let around = |byte: Option<u8>| byte.map(char::from);
    let all: Vec<Option<char>> =
        std::iter::once(around(before)).chain(text.chars().map(Some)).chain([around(behind)]).collect();
    all.windows(3).all(|three| match *three {
        [before, Some(c), behind] => c.is_ascii() || fits(before, c, behind),
        _ => true,
    })
}

fn is_western(run: &str) -> bool {
    let all: Vec<Option<char>> = std::iter::once(None).chain(run.chars().map(Some)).chain([None]).collect();
    all.windows(3).all(|three| matches!(*three, [before, Some(c), behind] if fits(before, c, behind)))
}

/// True where a character of Windows-1252 comes as it does in Western text: signs of measures and quotes anywhere,
/// letters among letters of their case, nothing else.
fn fits(before: Option<char>, c: char, behind: Option<char>) -> bool {
    if SIGNS.contains(c) {
        return true;
    }
    if !c.is_alphabetic() || matches!(c, 'ª' | 'ƒ' | 'ˆ' | 'Þ' | 'þ' | 'ð' | 'Ð') {
        return false;
    }
    // A capital does not come behind a small letter, nor a small one before a capital.
    let capital = |other: Option<char>| other.is_some_and(char::is_uppercase);
    let small = |other: Option<char>| other.is_some_and(|o| o.is_lowercase() && o != 'µ');
    if c.is_lowercase() { !capital(behind) } else { !small(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, encoding: &str) -> bool {
        !doubts(text, encoding).is_empty()
    }

    #[test]
    fn what_instruments_write_is_not_doubted() {
        for text in [
            "Größe 25 °C ±0,5 µg/mL – “ok” m² Ångström ØÅ",
            "水分：0.42 %\r\n操作者：张喆\r\n",
            "噁唑烷酮\t48\t堃",
            "\u{2}1H|\\^&|||\u{3}\u{4}",
            "ダミー 水分",
            "PRÜFER MÜLLER; Maßlösung; naïve; São Paulo",
        ] {
            assert!(!told(text, "UTF-8"), "{text} {:?}", doubts(text, "UTF-8"));
        }
        assert!(!told("水分：0.42 %\r\n操作者：张喆\r\n嘧啶 吡啶", "gb18030"));
        assert!(!told("25 °C Größe µl", "windows-1252"));
        assert!(!told("样品……——“2×”…………", "UTF-8"));
        assert!(!told("𠮷田㐀 喆堃 噁 𠮷田㐀 喆堃 噁", "gb18030"), "a few rare characters prove nothing");
        assert!(!told("λ 254 nm\t5 μL\tm²·h\tcréée", "UTF-8"));
    }

    #[test]
    fn what_is_a_text_in_two_encodings_is_told() {
        let (bytes, ..) = GB18030.encode("Operator,鲁梅,1\n");
        let western = std::str::from_utf8(&bytes).unwrap();
        assert!(told(western, "UTF-8"), "{western}");
        // Any other character decides.
        assert!(!told(&format!("{western}水"), "UTF-8"));
    }

    #[test]
    fn the_wrong_encoding_is_seen_in_what_comes_out() {
        let chinese = "样品名称：氯噻酮片\r\n检测结果：合格\r\n操作者：李四";
        let wrong = |text: &str, written: &'static encoding_rs::Encoding, taken: &'static encoding_rs::Encoding| {
            let (bytes, ..) = written.encode(text);
            taken.decode_without_bom_handling(&bytes).0.into_owned()
        };
        assert!(told(&wrong(chinese, GB18030, WINDOWS_1252), "windows-1252"));
        assert!(told(&wrong(chinese, encoding_rs::UTF_8, WINDOWS_1252), "windows-1252"));
        assert!(told(&wrong("Größe 25 °C", encoding_rs::UTF_8, WINDOWS_1252), "UTF-8"));
        assert!(told(&wrong("喆 1", GB18030, WINDOWS_1252), "windows-1252"));
        assert!(told(&wrong("檢測結果與樣品編號：測試用溶液濃度", encoding_rs::BIG5, GB18030), "gb18030"));
        assert!(told(&wrong("サンプルの測定結果です", encoding_rs::SHIFT_JIS, GB18030), "gb18030"));
        assert!(told(&wrong("Результат измерения образца препарата", encoding_rs::WINDOWS_1251, GB18030), "gb18030"));
        assert!(told("名称\u{e5e5}", "gb18030"));
        assert!(told("a\u{85}b", "UTF-8"));
        assert!(told("样品锟斤拷", "UTF-8"));
        assert!(told("样品\u{fffd}", "UTF-8"));
    }

    #[test]
    fn the_line_is_named() {
        assert_eq!(doubts("a\r\nb\u{81}\r\n", "windows-1252")[0].line, 2);
        assert_eq!(doubts("a\rb\u{e000}", "UTF-8")[0].line, 2);
    }
}
