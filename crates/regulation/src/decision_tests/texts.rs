//! Every quoted text against its source, where the sources are available.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::provision::Provision;

/// Says where the sources lie, where they are not found above this folder.
const FOLDER: &str = "QIANFA_POLICY_DOCUMENTS";

/// What no text in the folder holds, though it was read elsewhere.
const ELSEWHERE: &[&str] = &["R33-2"];

/// The characters of Shanghai's text that are written otherwise where it is quoted, one under the other.
const TRADITIONAL: &str = "倉個們倫備傳價儀優儲兒內兩冊別則創劃劑動務勢勵區協參員問啟單嚴國圍園圖團執報場壓學實審寬將專對導層屬庫廠廣廳強\
    徑從復徹態應掛揮損搶撐擁據擴數斷時暢會條業極構標樣機檔檢權氣決減測準滬漿濟為營爭獲現環產療癥發盡監確碼稅種積穩\
    節篩簡簽籌糾約納級紛細組結絡給統經綜綠維網線編縮總織續聯職腦臨臺與蓋藝藥術衛補見規訂計設許診評詢試認調請證識議\
    護變財貫責貯費資賦質購蹤軟輔輸轉辦連進運過適選醫銜銷錄鍵鎖鏈長門開間關隊際險電響項預領頻顆題類顯風飲養饋駐驗體\
    點";
const SIMPLIFIED: &str = "仓个们伦备传价仪优储儿内两册别则创划剂动务势励区协参员问启单严国围园图团执报场压学实审宽将专对导层属库厂广厅强\
    径从复彻态应挂挥损抢撑拥据扩数断时畅会条业极构标样机档检权气决减测准沪浆济为营争获现环产疗症发尽监确码税种积稳\
    节筛简签筹纠约纳级纷细组结络给统经综绿维网线编缩总织续联职脑临台与盖艺药术卫补见规订计设许诊评询试认调请证识议\
    护变财贯责贮费资赋质购踪软辅输转办连进运过适选医衔销录键锁链长门开间关队际险电响项预领频颗题类显风饮养馈驻验体\
    点";

/// The folder of the sources: by the environment, or `shared/policy-documents` beside any folder above.
fn sources() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Some(PathBuf::from(folder));
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/policy-documents")).find(|folder| folder.is_dir())
}

/// The file of a provision's text, by the beginning of its name.
fn file_of(one: &Provision) -> Option<&'static str> {
    Some(match (one.document.as_str(), one.document_title.as_str()) {
        ("N24", _) => "000_",
        ("N21", _) => "001_",
        ("SH", _) => "002_",
        ("JL", _) => "003_",
        ("SX", _) => "004_",
        ("IM", _) => "import-measures",
        ("R27" | "NOTICES", _) => "notices",
        (_, title) if title.contains("药品管理法") => "drug-law-2019",
        (_, title) if title.contains("注册与备案管理办法") => "device-registration",
        (_, title) if title.contains("民法典") => "civil-code",
        (_, title) if title.contains("上海市药品和医疗器械管理条例") => "shanghai-drug-device",
        (_, title) if title.contains("疫苗管理法") => "vaccine-law",
        (_, title) if title.contains("医疗器械监督管理条例") => "device-regulation",
        (_, title) if title.contains("检验检测条例") => "shanghai-testing",
        _ => return None,
    })
}

/// The mark at the beginning of a line that opens a clause: （十一） or 第十一条. Round brackets are of one width here.
fn opens(line: &str) -> Option<String> {
    let line = line.trim_start().replace('(', "（").replace(')', "）");
    let (start, end) = if line.starts_with('（') { ('（', '）') } else { ('第', '条') };
    let number = line.strip_prefix(start)?.split(end).next()?;
    let is_number = !number.is_empty() && number.chars().all(|one| "一二三四五六七八九十百零".contains(one));
    (is_number && line.contains(end)).then(|| format!("{start}{number}{end}"))
}

/// A text without blanks and breaks, in simplified characters.
fn plain(text: &str) -> String {
    let simple = |one: char| match TRADITIONAL.chars().position(|other| other == one) {
        None => one,
        Some(at) => SIMPLIFIED.chars().nth(at).expect("as many characters"),
    };
    text.chars().filter(|one| !one.is_whitespace()).map(simple).collect()
}

/// A source by clause, and whole under the empty name. Lines without a Chinese character are the translation that is
/// printed between.
fn by_clause(text: &str, by_article: bool) -> BTreeMap<String, String> {
    let mut clauses: BTreeMap<String, String> = BTreeMap::new();
    let mut clause = String::new();
    for line in text.lines().filter(|line| line.chars().any(|one| ('\u{4e00}'..='\u{9fff}').contains(&one))) {
        if let Some(mark) = opens(line).filter(|mark| mark.starts_with('第') == by_article) {
            clause = mark;
        }
        clauses.entry(clause.clone()).or_default().push_str(&plain(line));
    }
    let whole = clauses.values().cloned().collect();
    clauses.insert(String::new(), whole);
    clauses
}

/// Where the text of a provision is not what its source says, a sentence about it.
fn fault(one: &Provision, text: &str) -> Option<String> {
    let clauses = by_clause(text, one.clause.starts_with('第'));
    let clause = if ["R27", "NOTICES"].contains(&one.document.as_str()) { "" } else { one.clause.as_str() };
    match clauses.get(clause) {
        None => Some(format!("{}: the source has no clause {clause}", one.id)),
        Some(found) if !found.contains(&plain(&one.text)) => {
            Some(format!("{}: `{}` does not stand in clause {clause}", one.id, one.text))
        }
        Some(_) => None,
    }
}

#[test]
fn every_quoted_text_stands_in_its_source_under_its_clause() {
    assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
    let Some(folder) = sources() else {
        println!("skipped: the sources are not available ({FOLDER} names their folder)");
        return;
    };
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for folder in [folder.clone(), folder.join("laws")] {
        for entry in std::fs::read_dir(folder).expect("the folder of the sources") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                texts.insert(name, std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    let mut compared = 0;
    let mut faults = Vec::new();
    for one in regulation().register().provisions().iter().filter(|one| !one.text.is_empty()) {
        if ELSEWHERE.contains(&one.id.as_str()) {
            continue;
        }
        let source = file_of(one).and_then(|name| texts.iter().find(|(file, _)| file.starts_with(name)));
        match source {
            None => faults.push(format!("{}: the source of its text is not known", one.id)),
            Some((_, text)) => faults.extend(fault(one, text)),
        }
        compared += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared > 100, "{compared} texts");
}

#[test]
fn a_changed_text_or_clause_is_found() {
    let flu = regulation().register().get("SX-11e").expect("a provision").clone();
    let source = format!("一、支持\n(十)其他。\n(十一)優化。{}\n(十二)其他。", flu.text);
    assert_eq!(fault(&flu, &source), None);
    let moved = Provision { clause: "（十二）".into(), ..flu.clone() };
    assert!(fault(&moved, &source).is_some_and(|told| told.contains("SX-11e")));
    let changed = Provision { text: flu.text.replace("20", "30"), ..flu };
    assert!(fault(&changed, &source).is_some());
}
