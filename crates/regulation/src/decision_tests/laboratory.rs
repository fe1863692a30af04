//! A laboratory's own provisions, and the shipped register as such.

use super::*;

pub(super) const OWN: &str = r#"
[document]
id = "OWN"
title = "本所规定"
jurisdiction = "CN-GD"

[[provision]]
id = "OWN-1"
clause = "一"
title_zh = "x"
title_en = "x"
effective_from = 2026-01-01
confidence = "V"
applies = { business = ["drug_registration"], kind = "drug" }
sets = { quantity_multiple = 4 }
"#;

#[test]
fn announcement_3_of_2026_waits_for_its_date() {
    let line = "drug CN 2026-07-01 chemical rare_disease";
    assert_eq!(clock(line, "testing").map(|clock| clock.limit), Some(60));
    let own = "[[provision]]\nid = \"NMPA-2026-3\"\nactive = true\neffective_from = 2026-06-01\n\
               [[provision]]\nid = \"NMPA-2026-3-standard\"\nactive = true\neffective_from = 2026-06-01\n";
    let own = with(own).expect("dates set");
    let limit = |line: &str| {
        let found = own.determine(&case(line)).expect(line);
        found.clocks.first().map(|clock| (clock.limit, ids(&clock.provisions)))
    };
    assert_eq!(limit(line), Some((40, "NMPA-2026-3".to_owned())));
    assert_eq!(limit(&format!("{line} standard")), Some((70, "NMPA-2026-3-standard".to_owned())));
    assert_eq!(limit("drug CN 2026-05-31 chemical rare_disease"), Some((60, "R27-sample".to_owned())));
    assert_eq!(limit("drug CN 2026-07-01 chemical"), Some((60, "R27-sample".to_owned())));
    let undated = with("[[provision]]\nid = \"NMPA-2026-3\"\nactive = true\n").expect_err("no date");
    assert!(undated.contains("own.toml") && undated.contains("effective_from"), "{undated}");
}

#[test]
fn a_laboratory_adds_provisions_of_its_own() {
    let own = with(OWN).expect("a provision");
    let multiple = |line: &str| own.determine(&case(line)).expect(line).quantity_multiple;
    assert_eq!(multiple("drug GD 2026-01-05 chemical").value, Some(4));
    assert_eq!(multiple("drug GD 2026-01-05 chemical").provisions, ["OWN-1"]);
    assert_eq!(multiple("drug GD 2025-12-31 chemical").value, Some(2));
    assert_eq!(multiple("drug SH 2026-01-05 chemical").value, Some(2));
}

#[test]
fn contradictions_at_equal_rank_are_refused_and_named() {
    let second = |changes: &[(&str, &str)]| {
        let mut text = OWN[OWN.find("[[provision]]").expect("a provision")..].replace("OWN-1", "OWN-2");
        text = text.replace("quantity_multiple = 4", "quantity_multiple = 5");
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        with(&format!("{OWN}{text}"))
    };
    let error = second(&[]).expect_err("4 and 5");
    for part in ["OWN-1", "OWN-2", "quantity_multiple", "own.toml"] {
        assert!(error.contains(part), "{part} not in {error}");
    }
    // The same value, a later date, another number of conditions, or cases that cannot meet: no conflict.
    for change in [
        [("multiple = 5", "multiple = 4")],
        [("2026-01-01", "2026-01-02")],
        [("kind = \"drug\" }", "kind = \"drug\", traits_all = [\"innovative\"] }")],
        [("[\"drug_registration\"]", "[\"lot_release\"]")],
        [("effective_from", "active = false\neffective_from")],
    ] {
        second(&change).map(|_| ()).expect(change[0].1);
    }
}

#[test]
fn wrong_provisions_are_refused_by_file_id_and_field() {
    let table = [
        ("quantity_multiple = 4", "quantity_multiplier = 4", "quantity_multiplier"),
        ("quantity_multiple = 4", "quantity_multiple = 0", "quantity_multiple"),
        (
            "quantity_multiple = 4",
            "clocks = [{ name = \"testing\", unit = \"week\", limit = 1, starts = \"accepted\" }]",
            "week",
        ),
        ("2026-01-01", "\"next year\"", "effective_from"),
        ("2026-01-01", "\"unset\"", "effective_from"),
        ("effective_from = 2026-01-01", "effective_from = 2026-01-01\neffective_to = 2025-01-01", "effective_to"),
        ("clause = \"一\"\n", "", "clause"),
        ("\"V\"", "\"sure\"", "sure"),
        ("CN-GD", "CN-XX", "CN-XX"),
        ("drug_registration", "registration", "registration"),
        ("effective_from", "efective_from", "efective_from"),
        ("sets = ", "sets.refusal = { code = \"\", zh = \"\", en = \"\" }\n#", "refusal"),
    ];
    for (from, to, named) in table {
        let text = OWN.replace(from, to);
        assert_ne!(text, OWN, "{from}");
        let error = with(&text).map(|_| ()).expect_err(to);
        assert!(error.contains("own.toml") && error.contains("OWN-1") && error.contains(named), "{named}: {error}");
    }
    for (text, named) in [
        ("[[provision]]\nclause = \"x\"", "id"),
        ("[document]\nname = \"x\"", "name"),
        ("provisions = []", "provisions"),
        ("provision = 1", "provision"),
        ("a = ", "own.toml"),
        ("[[provision]]\nid = \"N-3\"\n[[provision]]\nid = \"N-3\"", "N-3"),
    ] {
        let error = with(text).map(|_| ()).expect_err(text);
        assert!(error.contains("own.toml") && error.contains(named), "{named}: {error}");
    }
}

#[test]
fn a_folder_is_read_with_its_inner_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("calendar")).expect("a folder");
    std::fs::write(folder.path().join("own.toml"), OWN).expect("a file");
    std::fs::write(folder.path().join("notes.txt"), "not a provision").expect("a file");
    let year = "year = 2027\nnotice = \"x\"\noff = []\n";
    std::fs::write(folder.path().join("calendar/2027.toml"), year).expect("a file");
    let own = Regulation::load(Some(folder.path())).expect("loads");
    assert!(own.register().get("OWN-1").is_some() && own.calendar().is_published(2027));
    let missing = Regulation::load(Some(&folder.path().join("missing"))).expect_err("no folder");
    assert!(missing.to_string().contains("missing"));
}

#[test]
fn the_shipped_register_is_complete_and_quotes_what_it_states() {
    let regulation = regulation();
    let register = regulation.register();
    for one in register.provisions() {
        let sets_something = one.sets != Default::default();
        assert!(sets_something || one.note_zh.is_some(), "{} neither sets nor notes anything", one.id);
        if matches!(one.confidence, Confidence::Stated) {
            assert!(!one.text.is_empty(), "{} quotes nothing", one.id);
        } else {
            assert!(!one.text.is_empty() || one.text_note.is_some(), "{} says nothing about its text", one.id);
        }
        if one.confidence > Confidence::Secondary && sets_something {
            assert!(one.changeable, "{} rests on memory and must be changeable", one.id);
        }
        if one.document == "SH" {
            assert!(one.text_note.as_ref().is_some_and(|note| note.contains("繁体")), "{}", one.id);
        }
    }
    for id in ["N-10b", "N-12b", "SH-12", "SX-12", "JL-14", "N21-12", "NMPA-2026-3"] {
        assert!(register.get(id).is_some(), "{id}");
    }
    let on = parse_date("2026-01-05");
    let shanghai = register.list(on, Jurisdiction::parse("CN-SH"));
    let has = |id: &str| shanghai.iter().any(|one| one.id == id);
    assert!(has("SH-12") && has("N-12b") && !has("SX-12") && !has("JL-14") && !has("NMPA-2026-3"));
    assert!(register.list(parse_date("2027-06-16"), None).iter().all(|one| one.document != "SX"));
}
