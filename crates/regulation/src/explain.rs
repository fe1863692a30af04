//! The sentences of a determination: one a decision, in Chinese and in English.

use crate::case::CaseFacts;
use crate::determination::{Determination, StatutoryClock};
use crate::provision::RemainderRule;
use crate::register::Register;
use vocabulary::words::Lane;

/// The two languages as one text.
pub(crate) fn both(zh: &str, en: &str) -> String {
    format!("{zh}。 / {}.", capitalised(en))
}

/// Behind how many sentences those of the amounts are: batches and multiple come first.
pub(crate) const QUANTITY: usize = 2;

pub(crate) fn sentences(register: &Register, determination: &Determination, remainder: &RemainderRule) -> Vec<String> {
    let sources = |ids: &[String]| Sources::of(register, ids);
    let mut sentences = vec![
        batches(determination, &sources(&determination.batches.provisions)),
        quantity(determination, &sources(&determination.quantity_multiple.provisions)),
        lane(determination.lane.value, &sources(&determination.lane.provisions)),
    ];
    for (index, said) in determination.amounts.iter().enumerate() {
        sentences.insert(QUANTITY + index, said.clone());
    }
    for one in &determination.clocks {
        sentences.push(clock(one, &sources(&one.provisions)));
    }
    if determination.remainder.may_be_sold {
        sentences.push(may_be_sold(remainder, &sources(&determination.remainder.provisions)));
    } else {
        sentences.push(both("没有条款允许剩余样品上市销售", "no provision allows remaining samples to be sold"));
    }
    for refusal in &determination.refusals {
        let sources = sources(&refusal.provisions);
        let (zh, en) = refusal.message.split_once("。 / ").unwrap_or((&refusal.message, ""));
        sentences.push(both(
            &format!("不予受理：{zh}{}", sources.zh),
            &format!("refused: {}{}", en.trim_end_matches('.'), sources.en),
        ));
    }
    sentences
}

/// Why a case has no testing before submission.
pub(crate) fn no_pre_submission(case: &CaseFacts) -> (String, String) {
    let (business, purpose, place) = (case.business, case.purpose, case.jurisdiction);
    let day = case.dates.accepted;
    (
        format!("{day}在{}没有条款允许{}（{}）在申报前进行检验", place.zh(), business.zh(), purpose.zh()),
        format!(
            "on {day} no provision ({}) allows {} before submission for this purpose ({})",
            place.en(),
            business.en(),
            purpose.en()
        ),
    )
}

/// The provisions behind a decision, worded to close a sentence.
struct Sources {
    zh: String,
    en: String,
}

impl Sources {
    fn of(register: &Register, ids: &[String]) -> Self {
        if ids.is_empty() {
            return Sources { zh: String::new(), en: String::new() };
        }
        let cited: Vec<String> = ids
            .iter()
            .map(|id| match register.get(id) {
                Some(one) if !one.confidence.is_read() => format!("{}〔{id}，一般知识〕", one.citation()),
                Some(one) => format!("{}〔{id}〕", one.citation()),
                None => format!("〔{id}〕"),
            })
            .collect();
        let named: Vec<String> = ids
            .iter()
            .map(|id| match register.get(id) {
                Some(one) if !one.confidence.is_read() => format!("{id} (general knowledge)"),
                _ => id.clone(),
            })
            .collect();
        Sources { zh: format!("，依据{}", cited.join("、")), en: format!(", under {}", named.join(", ")) }
    }
}

fn batches(determination: &Determination, sources: &Sources) -> String {
    match determination.batches.value {
        None => both("不规定批次数", "no number of batches is set"),
        Some(number) => both(
            &format!("检验批次为{number}批{}", sources.zh),
            &format!("{number} {} tested{}", plural(number, "batch is", "batches are"), sources.en),
        ),
    }
}

fn quantity(determination: &Determination, sources: &Sources) -> String {
    match determination.quantity_multiple.value {
        None => both(
            "不规定用量倍数，按产品技术要求取样",
            "no multiple of the full-test amount is set: the amount follows the product's own requirements",
        ),
        Some(multiple) => both(
            &format!("每批次用量为全项检验用量的{multiple}倍{}", sources.zh),
            &format!("the amount of each batch is {multiple} × the full-test amount{}", sources.en),
        ),
    }
}

fn lane(lane: Lane, sources: &Sources) -> String {
    match lane {
        Lane::Routine => both("按常规顺序检验", "the case is tested in routine order"),
        lane => both(&format!("检验通道：{}{}", lane.zh(), sources.zh), &format!("lane: {}{}", lane.en(), sources.en)),
    }
}

fn clock(clock: &StatutoryClock, sources: &Sources) -> String {
    let (zh_mark, en_mark) = if clock.provisional {
        (
            "（暂定，涉及工作日安排未公布的年份）",
            " (provisional: it runs into a year whose working days are not published)",
        )
    } else {
        ("", "")
    };
    if clock.name.counts_back() {
        let (limit, ends, due) = (clock.limit, clock.starts, clock.due);
        return both(
            &format!(
                "{}：{ends}届满前{limit}{}，即不晚于{due}{zh_mark}{}",
                clock.name.zh(),
                clock.unit.zh(),
                sources.zh
            ),
            &format!(
                "{}: {limit} {} before {ends}, due {due}{en_mark}{}",
                clock.name.en(),
                clock.unit.en(),
                sources.en
            ),
        );
    }
    both(
        &format!(
            "{}时限为{}{}，自{}起算（当日不计），至{}{zh_mark}{}",
            clock.name.zh(),
            clock.limit,
            clock.unit.zh(),
            clock.starts,
            clock.due,
            sources.zh
        ),
        &format!(
            "{}: {} {} after {}, due {}{en_mark}{}",
            clock.name.en(),
            clock.limit,
            clock.unit.en(),
            clock.starts,
            clock.due,
            sources.en
        ),
    )
}

fn may_be_sold(rule: &RemainderRule, sources: &Sources) -> String {
    let zh: Vec<&str> = rule.conditions.iter().map(|one| one.zh.as_str()).collect();
    let en: Vec<&str> = rule.conditions.iter().map(|one| one.en.as_str()).collect();
    both(
        &format!("剩余样品可以上市销售，条件：{}{}", zh.join("；"), sources.zh),
        &format!("what remains may be sold, provided that {}{}", en.join("; "), sources.en),
    )
}

fn plural<'a>(number: u32, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        None => String::new(),
        Some(first) => first.to_uppercase().chain(letters).collect(),
    }
}
