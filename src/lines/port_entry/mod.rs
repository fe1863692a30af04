//! Port-of-entry testing of imported drugs (进口药品通关检验).

use crate::business::{CaseDates, Field, Line, Step};
use crate::documents::CertificateKind;
use crate::lines::LineRefusal;
use crate::refusal::Refusal;
use crate::vocabulary::{Business, CaseState};

const ARRIVED: Field = Field::new("arrived_at_port_on", "到港日期", "Arrived at the port");
const SAMPLED: Field = Field::new("sampled_on", "抽样日期", "Sampled");

/// The line.
pub struct PortEntry;

impl Line for PortEntry {
    fn businesses(&self) -> &'static [Business] {
        &[Business::PortEntry]
    }

    fn heading(&self) -> (&'static str, &'static str) {
        ("口岸信息", "Port of entry")
    }

    fn dates(&self) -> &'static [Field] {
        const DATES: &[Field] =
            &[ARRIVED, Field::new("notice_received_on", "接到通知书日期", "Notice received"), SAMPLED];
        DATES
    }

    /// The clocks of the port run from them.
    fn dates_of_a_receipt(&self) -> &'static [Field] {
        &[ARRIVED, SAMPLED]
    }

    fn particulars(&self) -> &'static [Field] {
        const PARTICULARS: &[Field] = &[
            Field::new("notice_number", "口岸检验通知书编号", "Notice of port testing"),
            Field::new("import_registration", "进口药品注册证号", "Import registration"),
            Field::new("port", "口岸", "Port"),
            Field::new("contract_number", "合同号", "Contract"),
            Field::new("customs_number", "通关单编号", "Customs clearance"),
            Field::new("import_quantity", "进口量", "Quantity imported"),
            Field::new("sampling_place", "抽样地点", "Place of sampling"),
            Field::new("sampling_packages", "抽样件数", "Packages sampled"),
        ];
        PARTICULARS
    }

    /// Samples are drawn at the port before they are received.
    fn steps(&self) -> &'static [Step] {
        const STEPS: &[Step] =
            &[Step { action: "case.dates", during: &[CaseState::Draft, CaseState::Accepted, CaseState::Testing] }];
        STEPS
    }

    fn check_dates(&self, dates: &CaseDates) -> Result<(), Refusal> {
        if let (Some(arrived), Some(sampled)) = (dates.arrived_at_port, dates.sampled)
            && sampled < arrived
        {
            return Err(LineRefusal::SampledBeforeArrival.into());
        }
        Ok(())
    }

    fn document(&self, _conforms: bool) -> CertificateKind {
        CertificateKind::ImportReport
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sampled_before_it_arrived() {
        let day = |text: &str| text.parse().ok();
        let dates = |arrived, sampled| CaseDates {
            arrived_at_port: day(arrived),
            sampled: day(sampled),
            ..CaseDates::default()
        };
        assert!(PortEntry.check_dates(&dates("2026-03-13", "2026-03-13")).is_ok());
        assert!(PortEntry.check_dates(&dates("", "2026-03-13")).is_ok());
        let refused = PortEntry.check_dates(&dates("2026-03-13", "2026-03-12")).expect_err("too early");
        assert_eq!(refused, LineRefusal::SampledBeforeArrival.into());
    }
}
