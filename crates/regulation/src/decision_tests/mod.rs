//! Tables of cases: what the shipped regulation says, date by date and place by place.

mod laboratory;
mod obligations;
mod properties;
mod put_right;
mod refusals;
mod texts;
mod values;

use std::sync::LazyLock;

use crate::case::{CaseFacts, Dates, Product, parse_date};
use crate::determination::{Determination, Regulation, StatutoryClock};
use crate::load::SourceFile;
use vocabulary::words::*;

fn regulation() -> &'static Regulation {
    static SHIPPED: LazyLock<Regulation> = LazyLock::new(|| Regulation::embedded().expect("the shipped register"));
    &SHIPPED
}

fn with(text: &str) -> Result<Regulation, String> {
    let file = SourceFile { name: "own.toml".into(), text: text.into() };
    Regulation::with_files(&[file]).map_err(|error| error.to_string())
}

/// `business place date category +trait …`, in short words.
fn case(line: &str) -> CaseFacts {
    let mut words = line.split_whitespace();
    let mut next = || words.next().expect(line);
    let business = match next() {
        "drug" => Business::DrugRegistration,
        "device" => Business::DeviceRegistration,
        "lot" => Business::LotRelease,
        "port" => Business::PortEntry,
        other => panic!("{other}"),
    };
    let place = next();
    let jurisdiction = Jurisdiction::parse(if place == "CN" { "CN".into() } else { format!("CN-{place}") }.as_str());
    let accepted = parse_date(next()).expect(line);
    let category = Category::parse(next()).expect(line);
    let mut case = CaseFacts {
        business,
        jurisdiction: jurisdiction.expect(line),
        dates: Dates::accepted_on(accepted),
        product: Product { category, device_class: None, traits: Default::default() },
        purpose: Purpose::Initial,
        pre_submission: false,
        standard_verification: false,
        obligations: Vec::new(),
    };
    for word in words {
        if let Some(class) = DeviceClass::parse(word) {
            case.product.device_class = Some(class);
        } else if let Some(purpose) = Purpose::parse(word) {
            case.purpose = purpose;
        } else if word == "pre" {
            case.pre_submission = true;
        } else if word == "standard" {
            case.standard_verification = true;
        } else if let Some((name, date)) = word.split_once('=') {
            let date = Some(parse_date(date).expect(line));
            match DateName::parse(name).expect(line) {
                DateName::Accepted => {}
                DateName::ArrivedAtPort => case.dates.arrived_at_port = date,
                DateName::NoticeReceived => case.dates.notice_received = date,
                DateName::Sampled => case.dates.sampled = date,
                DateName::Received => case.dates.received = date,
                DateName::SupplementRequested => case.dates.supplement_requested = date,
                DateName::ResultReceived => case.dates.result_received = date,
                DateName::SamplingRefused => case.dates.sampling_refused = date,
                DateName::ReExaminationAccepted => case.dates.re_examination_accepted = date,
                DateName::ReviewEnds => case.dates.review_ends = date,
            }
        } else {
            case.product.traits.insert(Trait::parse(word).expect(word));
        }
    }
    case
}

fn determine(line: &str) -> Determination {
    regulation().determine(&case(line)).expect(line)
}

fn ids(provisions: &[String]) -> String {
    provisions.join(" ")
}

fn clock(line: &str, name: &str) -> Option<StatutoryClock> {
    determine(line).clocks.into_iter().find(|clock| clock.name.as_str() == name)
}
