//! Every adapter of text reads a Chinese file in every encoding that Chinese instruments write, or says what is wrong.

use encoding_rs::GB18030;
use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::{AdapterSet, Options, Parsed};

fn encoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let wide = |mark: bool, little: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
    };
    vec![
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8 with its mark", [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat()),
        ("gb18030", GB18030.encode(text).0.into_owned()),
        ("utf-16le with its mark", wide(true, true)),
        ("utf-16be with its mark", wide(true, false)),
        ("utf-16le", wide(false, true)),
        ("utf-16be", wide(false, false)),
    ]
}

fn texts(parsed: &Parsed) -> Vec<(Option<String>, Option<String>, Option<String>)> {
    parsed.observations.iter().map(|o| (o.sample.clone(), o.analyte.clone(), o.value.clone())).collect()
}

/// Characters that GB 2312 does not have, and one of four bytes.
const NAMES: [&str; 5] = ["噁唑烷酮", "张喆", "堃", "𠮷田㐀", "氯噻酮"];

#[test]
fn every_adapter_of_text_reads_its_sample_in_every_encoding() {
    let set = AdapterSet::embedded();
    let mut compared = 0;
    for files in ADAPTERS {
        for sample in files.samples {
            let Ok(text) = std::str::from_utf8(sample.bytes) else { continue };
            // Named as binary, or framed by the bytes of its line.
            if sample.bytes.starts_with(b"PK") || sample.bytes.starts_with(b"CDF") || text.contains('\u{2}') {
                continue;
            }
            let read = |bytes: &[u8]| set.parse(sample.name, bytes, Some(files.id), &Options::default());
            let Ok(plain) = read(sample.bytes) else { continue };
            if !plain.problems.is_empty() {
                continue;
            }
            for (encoding, bytes) in encoded(text) {
                let parsed = read(&bytes).unwrap_or_else(|e| panic!("{} in {encoding}: {e}", sample.name));
                // A message may name another encoding than it is in: that is told.
                if parsed.problems.is_empty() {
                    assert_eq!(texts(&parsed), texts(&plain), "{} in {encoding}", sample.name);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn a_character_outside_gb_2312_spoils_nothing() {
    let set = AdapterSet::embedded();
    for name in NAMES {
        let empower = format!(
            "SampleName\tVial\tRetentionTime\tArea\tResultId\tChannelName\tName\tAmount\tUnits\r\n{name}\t1\t4.1\t1\t1\tPDA\t{name}\t48\tug/mL\r\n"
        );
        let karl = format!("卡尔费休水分测定\r\n样品：{name}\r\n日期：2026/11/30 14:02\r\n水分：300 ppm\r\n");
        for (file, text) in [("e.txt", empower), ("k.txt", karl)] {
            for (encoding, bytes) in encoded(&text) {
                let parsed =
                    set.parse(file, &bytes, None, &Options::default()).unwrap_or_else(|e| panic!("{encoding}: {e}"));
                assert!(parsed.observations.iter().any(|o| o.sample.as_deref() == Some(name)), "{name} in {encoding}");
                assert!(parsed.problems.iter().all(|p| p.code != "doubtful_text"), "{encoding}: {:?}", parsed.problems);
            }
        }
    }
}

#[test]
fn messages_are_read_in_their_own_encoding() {
    let set = AdapterSet::embedded();
    for name in NAMES {
        let lis = format!("H|\\^&|||POC|||||||P|1\rP|1\rO|1|{name}||^^^HB|R\rR|1|^^^HB|77.7|%||N||F\rL|1|N\r");
        for (encoding, bytes) in encoded(&lis) {
            let parsed = set.parse("m.txt", &bytes, Some("astm-lis2"), &Options::default()).unwrap();
            assert_eq!(parsed.observations[0].sample.as_deref(), Some(name), "{encoding}");
        }
    }
}

/// What was decoded in the wrong way before it came, and what no encoding of the adapter explains, is told.
#[test]
fn a_wrong_decoding_is_told() {
    let set = AdapterSet::embedded();
    let karl = "卡尔费休水分测定\r\n样品：S1\r\n日期：2026/11/30 14:02\r\n水分：300 ppm\r\n操作者：";
    let saved_wrong = encoding_rs::WINDOWS_1252.decode_without_bom_handling("张三".as_bytes()).0.into_owned();
    for operator in ["锟斤拷", "\u{e5e5}", "\u{fffd}", "a\u{85}", &saved_wrong] {
        let text = format!("{karl}{operator}\r\n");
        let parsed = set.parse("k.txt", text.as_bytes(), None, &Options::default()).unwrap();
        assert!(parsed.problems.iter().any(|p| p.code == "doubtful_text"), "{operator:?}");
        assert!(parsed.is_blocked());
    }
}
