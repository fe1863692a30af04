//! The same file as other computers write it: other ends of lines, UTF-16, columns in another order.

use instrument_adapters::{AdapterSet, Options, Parsed, embedded};

fn values(parsed: &Parsed) -> Vec<(Option<String>, String, Option<String>, Option<String>)> {
    let mut all: Vec<_> = parsed
        .observations
        .iter()
        .map(|o| (o.analyte.clone(), o.quantity.clone(), o.value.clone(), o.unit.clone()))
        .collect();
    all.sort();
    all
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn encodings_and_line_ends_change_nothing() {
    let set = AdapterSet::embedded();
    for (adapter, name) in [
        ("thermo-chromeleon-txt", "SX20260004_FLD_1.txt"),
        ("shimadzu-labsolutions", "two_quantitative_runs.txt"),
        ("shimadzu-quant-browser", "two_compounds.txt"),
        ("agilent-openlab-rdl", "two_pages.txt"),
        ("agilent-msd-results", "SX20260012-1_RESULTS.CSV"),
        ("agilent-msd-report", "SX20260012-2_rteres.txt"),
        ("thermo-uvvis", "visionlite_scan.csv"),
        ("waters-empower-text", "SX20260017_peaks.txt"),
        ("waters-empower-raw", "SX20260017.arw"),
    ] {
        let bytes = embedded::sample(adapter, name).unwrap();
        let text = std::str::from_utf8(bytes).unwrap();
        let read = |bytes: &[u8]| {
            let parsed = set.parse(name, bytes, None, &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(parsed.adapter, adapter);
            parsed
        };
        let plain = read(bytes);
        let unix = text.replace("\r\n", "\n");
        for other in [unix.clone().into_bytes(), utf16(text), format!("\u{feff}{unix}").into_bytes()] {
            let other = read(&other);
            assert_eq!(values(&other), values(&plain), "{name}");
            assert_eq!(other.complete, plain.complete, "{name}");
        }
        let upper = name.to_uppercase();
        assert!(set.parse(&upper, bytes, None, &Options::default()).is_ok(), "{upper}");
    }
}

/// Headings decide, not places.
#[test]
fn columns_may_stand_in_any_order() {
    let set = AdapterSet::embedded();
    let file = |order: [usize; 4]| {
        let rows = [["Peak#", "R.Time", "Area", "Name"], ["1", "2.100", "1200", "A"], ["2", "3.250", "88", "B"]];
        let table: Vec<String> = rows.iter().map(|r| order.map(|i| r[i]).join("\t")).collect();
        format!(
            "[Header]\nData File Name\tC:\\x.lcd\n\n[Sample Information]\nSample Name\tS-1\n\n[Peak Table(AD1)]\n# of Peaks\t2\n{}\n\n",
            table.join("\n")
        )
    };
    let read = |text: String| set.parse("a.txt", text.as_bytes(), None, &Options::default()).unwrap();
    let straight = read(file([0, 1, 2, 3]));
    assert_eq!(straight.observations.len(), 4);
    assert!(straight.problems.is_empty(), "{:?}", straight.problems);
    assert_eq!(values(&read(file([3, 2, 0, 1]))), values(&straight));
}

/// A large file is read in time that grows with its length, and every row of it.
#[test]
fn many_rows() {
    let set = AdapterSet::embedded();
    let mut text =
        String::from("[Header]\r\nData File Name,a.lcd\r\n\r\n[Sample Information]\r\nSample Name,S\r\n\r\n");
    text += "[LC Chromatogram(AD1)]\r\n# of Points,40000\r\nIntensity Units,mV\r\nIntensity Multiplier,0.001\r\n";
    text += "R.Time (min),Intensity\r\n";
    for point in 0..40_000 {
        text += &format!("{}.{:03},{}\r\n", point / 1000, point % 1000, point);
    }
    let parsed = set.parse("long.txt", text.as_bytes(), None, &Options::default()).unwrap();
    assert_eq!(parsed.observations.len(), 40_000);
    let last = parsed.observations.last().unwrap();
    assert_eq!((last.raw.as_str(), last.value.as_deref(), last.unit.as_deref()), ("39999", Some("39.999"), Some("mV")));
    let without = Options { curves: false, ..Options::default() };
    let parsed = set.parse("long.txt", text.as_bytes(), None, &without).unwrap();
    assert!(parsed.observations.is_empty() && parsed.problems.is_empty(), "{:?}", parsed.problems);
}
