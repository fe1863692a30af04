//! Registration testing of drugs and devices (注册检验).

use crate::business::{Field, Line};
use crate::documents::CertificateKind;
use crate::vocabulary::Business;

/// The line.
pub struct Registration;

impl Line for Registration {
    fn businesses(&self) -> &'static [Business] {
        &[Business::DrugRegistration, Business::DeviceRegistration]
    }

    fn heading(&self) -> (&'static str, &'static str) {
        ("注册检验", "Registration")
    }

    fn ticks(&self) -> &'static [Field] {
        const TICKS: &[Field] = &[
            Field::new("pre_submission", "申报前检验", "Before submission"),
            Field::new("standard_verification", "含标准复核", "With standard verification"),
        ];
        TICKS
    }

    fn document(&self, _conforms: bool) -> CertificateKind {
        CertificateKind::TestReport
    }
}
