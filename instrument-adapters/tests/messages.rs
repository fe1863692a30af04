//! Variants of records and messages, and the way from the line to the observations.

use instrument_adapters::link::{Given, Receive, lis, mllp};
use instrument_adapters::{AdapterSet, Observation, Options, Parsed, Status, embedded};

fn parse(name: &str, bytes: &[u8]) -> Parsed {
    AdapterSet::embedded().parse(name, bytes, None, &Options::default()).unwrap()
}

fn plain(o: &Observation) -> (Option<&str>, Option<&str>, &str, Option<&str>, Option<&str>, Status) {
    (o.sample.as_deref(), o.analyte.as_deref(), o.raw.as_str(), o.value.as_deref(), o.unit.as_deref(), o.status)
}

const RECORDS: &str =
    "H|\\^&|||XT^1||||||||LIS2-A2|20260304\nP|1\nO|1|SX1^7||^^^OSMO\nR|1|^^^OSMO|  291|mOsm/kg||||F\nL|1|N\n";

#[test]
fn what_the_receiver_takes_reads_as_the_capture_does() {
    let capture = embedded::sample("astm-lis2", "coagulation_frames.txt").unwrap();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut keeper = |given: Given<'_>| {
        kept.push(given.bytes().to_vec());
        Ok(())
    };
    assert!(!lis::LisReceiver::default().feed(capture, &mut keeper).contains(&lis::NAK));
    let framed = embedded::sample("hl7-v2-oru", "correction_mllp.hl7").unwrap();
    let said = mllp::MllpReceiver::default().feed(framed, &mut keeper);
    assert!(said.ends_with(b"MSA|AA|77\r\x1c\r"));
    let [text, message] = kept.as_slice() else { panic!("{kept:?}") };
    let (captured, received) = (parse("a.txt", capture), parse("a.txt", text));
    assert_eq!(received.complete, Some(true));
    assert_eq!(captured.observations.len(), 4);
    for (one, other) in captured.observations.iter().zip(&received.observations) {
        assert_eq!(plain(one), plain(other));
        assert_eq!((&one.flags, &one.context), (&other.flags, &other.context));
    }
    assert_eq!(parse("a.hl7", message).observations.len(), 4);
}

#[test]
fn records_end_in_any_way_and_stand_in_any_frame() {
    let cr = RECORDS.replace('\n', "\r");
    let whole = lis::frames(cr.replace('\r', "\n").as_bytes(), 64_000).concat();
    let one_each = lis::frames(cr.as_bytes(), 240).concat();
    let split = lis::frames(cr.as_bytes(), 5).concat();
    let by_line = String::from_utf8(one_each.clone()).unwrap().replace("\r\n", "\n");
    let spelled = by_line.replace('\u{2}', "[STX]").replace('\r', "[CR]").replace('\u{3}', "[ETX]");
    let without_ends: Vec<u8> = RECORDS
        .trim_end()
        .split('\n')
        .enumerate()
        .flat_map(|(n, r)| {
            let body = [format!("{}{r}", n + 1).as_bytes(), &[lis::ETX]].concat();
            [&[lis::STX], body.as_slice(), lis::checksum(&body).as_bytes(), b"\r\n"].concat()
        })
        .collect();
    let double = RECORDS.replace('\\', "\\\\");
    let mark = format!("\u{feff}{RECORDS}");
    for (name, bytes) in [
        ("lf", RECORDS.as_bytes()),
        ("cr", cr.as_bytes()),
        ("one frame", &whole),
        ("a frame each", &one_each),
        ("split", &split),
        ("lines", by_line.as_bytes()),
        ("spelled", spelled.as_bytes()),
        ("no ends", &without_ends),
        ("escaped backslash", double.as_bytes()),
        ("mark", mark.as_bytes()),
    ] {
        let parsed = parse("capture.bin", bytes);
        assert_eq!(parsed.complete, Some(true), "{name}: {:?}", parsed.problems);
        let read: Vec<_> = parsed.observations.iter().map(plain).collect();
        let wanted = (Some("SX1"), Some("OSMO"), "291", Some("291"), Some("mosm/kg"), Status::Ok);
        assert_eq!(read, [wanted], "{name}");
        assert!(parsed.observations[0].locator.line.is_some(), "{name}");
    }
}

#[test]
fn a_message_without_its_last_record_is_not_whole() {
    for (from, to) in [("L|1|N\n", ""), ("L|1|N\n", "L|1"), ("|N\n", "|E\n"), ("P|1\n", "H|\\^&\n")] {
        let parsed = parse("a.txt", RECORDS.replace(from, to).as_bytes());
        assert_eq!(parsed.complete, Some(false), "{from:?} {to:?}");
        assert!(parsed.is_blocked());
    }
    // Without a code, a finished line is enough.
    assert_eq!(parse("a.txt", RECORDS.replace("L|1|N", "L|1").as_bytes()).complete, Some(true));
}

#[test]
fn hl7_segments_end_in_any_way_and_characters_are_those_of_msh_18() {
    let text = "MSH|^~\\&|A|B|C|D|20260304||ORU^R01|1|P|2.5||||||UNICODE UTF-8\nOBR|1|SX1\nOBX|1|NM|K^Kalium µ^L||4.10|mmol/l|||||F\n";
    let latin: Vec<u8> =
        text.replace("UNICODE UTF-8", "8859/1").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let (cr, crlf) = (text.replace('\n', "\r"), text.replace('\n', "\r\n"));
    for bytes in [text.as_bytes(), cr.as_bytes(), crlf.as_bytes(), &latin] {
        let parsed = parse("a.txt", bytes);
        assert_eq!(parsed.complete, None);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let read: Vec<_> = parsed.observations.iter().map(plain).collect();
        assert_eq!(read, [(Some("SX1"), Some("Kalium µ"), "4.10", Some("4.10"), Some("mmol/l"), Status::Ok)]);
    }
    let silent = parse("a.txt", text.replace("UNICODE UTF-8", "").as_bytes());
    assert_eq!(silent.problems[0].code, "charset_missing");
    // Frames prove that the message is whole; one that stands outside of them is not covered.
    let framed = mllp::wrap(cr.as_bytes());
    assert_eq!(parse("a.txt", &framed).complete, Some(true));
    assert_eq!(parse("a.txt", &[framed.as_slice(), cr.as_bytes()].concat()).complete, None);
}
