//! Files made to hurt: each is refused or read as broken, quickly and within its own size.

use std::time::{Duration, Instant};

use instrument_adapters::{AdapterSet, Options, Parsed};

fn read(set: &AdapterSet, name: &str, bytes: &[u8]) -> Option<Parsed> {
    let start = Instant::now();
    let parsed = set.parse(name, bytes, None, &Options::default()).ok();
    assert!(start.elapsed() < Duration::from_secs(20), "{name}");
    if let Some(parsed) = &parsed {
        assert!(parsed.observations.len() <= bytes.len(), "{name}: {}", parsed.observations.len());
    }
    parsed
}

fn broken(parsed: Option<Parsed>) {
    if let Some(parsed) = parsed {
        assert!(parsed.is_blocked() && parsed.complete == Some(false), "{:?}", parsed.problems);
    }
}

#[test]
fn trees_beyond_reason() {
    let set = AdapterSet::embedded();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(50_000), close.repeat(50_000));
    let inner = deep("<Category name=\"c\">", "</Category>");
    let text = format!("<AnIML><SampleSet><Sample sampleID=\"s\">{inner}</Sample></SampleSet></AnIML>");
    broken(read(&set, "deep.animl", text.as_bytes()));
    let inner = deep("{\"sample document\":", "}").replace(":}", ":{}}");
    let text = format!("{{\"$asm.manifest\":\"x\",\"a aggregate document\":{inner}}}");
    broken(read(&set, "deep.json", text.as_bytes()));
    let text = format!("{{\"values\":{{\"fields\":{{\"SampleSetId\":1}},\n\"results\":{}", "[".repeat(50_000));
    broken(read(&set, "deep.json", text.as_bytes()));
    let text = "##TITLE=a\n##JCAMP-DX=5\n".repeat(10_000);
    broken(read(&set, "deep.dx", text.as_bytes()));
}

#[test]
fn small_files_do_not_become_large() {
    let set = AdapterSet::embedded();
    // A repetition of eight characters that stands for ten million values.
    let table = "##FIRSTX=1\n##DELTAX=1\n##XYDATA=(X++(Y..Y))\n1AZ9999999\n##END=\n";
    broken(read(&set, "bomb.dx", format!("##TITLE=a\n##JCAMP-DX=5\n##NPOINTS=4\n{table}").as_bytes()));
    let many = format!("##TITLE=a\n##JCAMP-DX=5\n##NPOINTS=99999999999\n{table}");
    let parsed = set.parse("bomb.dx", many.as_bytes(), None, &Options::default()).unwrap();
    broken(Some(parsed));
    // Values in equal steps of which only the number is told.
    let steps = "<AutoIncrementedValueSet startIndex=\"0\" endIndex=\"4000000000\"><StartValue><I>0</I></StartValue>\
                 <Increment><I>1</I></Increment></AutoIncrementedValueSet>";
    let text = format!(
        "<AnIML><SampleSet><Sample sampleID=\"s\"><SeriesSet><Series name=\"n\" dependency=\"independent\" \
         seriesType=\"Int32\">{steps}</Series></SeriesSet></Sample></SampleSet></AnIML>"
    );
    assert!(read(&set, "steps.animl", text.as_bytes()).unwrap().observations.is_empty());
}

/// No entity is resolved, no file is opened for one.
#[test]
fn document_types_are_refused() {
    let set = AdapterSet::embedded();
    for entity in ["<!ENTITY x SYSTEM \"file:///etc/hostname\">", "<!ENTITY x \"xxxxxxxxxx\">"] {
        let text = format!("<!DOCTYPE AnIML [{entity}]>\n<AnIML version=\"0.90\">&x;</AnIML>");
        assert!(set.parse("a.animl", text.as_bytes(), None, &Options::default()).is_err());
        // Far behind the head, too.
        let text = format!("<?xml version=\"1.0\"?>{}{text}", "\n".repeat(200_000));
        broken(read(&set, "a.animl", text.as_bytes()));
        let text = format!("<!--<AnIML>-->{}{text}", "\n".repeat(70_000));
        broken(read(&set, "a.animl", text.as_bytes()));
    }
}
