//! Who may do what: one table of roles and actions.

vocabulary! {
    /// What a person is in the institute, or towards it.
    Role {
        Receiver = "receiver", "收样员", "receiver";
        Analyst = "analyst", "检验员", "analyst";
        Reviewer = "reviewer", "复核员", "reviewer";
        AuthorisedSignatory = "authorised_signatory", "授权签字人", "authorised signatory";
        PortSampler = "port_sampler", "口岸抽样员", "port sampler";
        Quality = "quality", "质量管理员", "quality";
        Administrator = "administrator", "系统管理员", "administrator";
        /// Makes institutes and their first administrator, and nothing else.
        Installation = "installation", "安装管理员", "installation administrator";
        Applicant = "applicant", "申请人", "applicant";
    }
}

/// Declares the actions, each with the roles that may do it.
macro_rules! permissions {
    ($($(#[$meta:meta])* $permission:ident = $word:literal: $($role:ident)*;)+) => {
        /// Everything that needs a permission.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$meta])* $permission,)+ }

        impl Permission {
            /// Every action, in the order of the matrix.
            pub const ALL: &'static [Permission] = &[$(Permission::$permission,)+];

            /// The word by which it is logged.
            pub const fn as_str(self) -> &'static str {
                match self { $(Permission::$permission => $word,)+ }
            }

            /// The action of that word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Permission::$permission),)+ _ => None }
            }

            /// The roles that may do it.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Permission::$permission => &[$(Role::$role,)*],)+ }
            }
        }
    };
}

permissions! {
    // Intake. The applicant of a case is hidden from those who test it, so that nobody tests for somebody.
    CaseRead = "case.read": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality;
    ApplicantRead = "applicant.read": Receiver Reviewer AuthorisedSignatory PortSampler Quality Administrator;
    CaseCreate = "case.create": Receiver;
    CaseAccept = "case.accept": Receiver;
    CaseRefuse = "case.refuse": Receiver;
    CaseWithdraw = "case.withdraw": Receiver Quality;
    CaseVoid = "case.void": Quality;
    /// Taking back what was done to a case, a sample or its containers by mistake.
    ReversalMake = "reversal.make": Quality;
    /// Application, acceptance and receipt in one step.
    CaseTakeIn = "case.take_in": Receiver;
    /// Refusing a sample is part of receiving.
    SampleReceive = "sample.receive": Receiver;
    PortSample = "port.sample": Receiver PortSampler;
    /// Counting due dates anew where a calendar was published.
    ClockRefresh = "clock.refresh": Quality Administrator;

    // Custody. Destruction and the use of the retained portion are not for those who test with it.
    CustodyRead = "custody.read": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality;
    CustodyMove = "custody.move": Receiver Analyst;
    CustodyReturn = "custody.return": Receiver Quality;
    CustodyDestroy = "custody.destroy": Quality;
    /// Labels of samples and containers, first and again.
    LabelPrint = "label.print": Receiver Analyst PortSampler Quality;
    CustodyHandOver = "custody.hand_over": Receiver Analyst Reviewer Quality;
    /// Asking for the use of what is retained, or for a destruction.
    KeepingAsk = "keeping.ask": Receiver Analyst Reviewer Quality;
    KeepingApprove = "keeping.approve": Quality;
    /// Destroying what was approved, and witnessing it.
    KeepingCarryOut = "keeping.carry_out": Receiver Quality;

    // Testing
    TaskRead = "task.read": Analyst Reviewer AuthorisedSignatory Quality;
    TaskStart = "task.start": Analyst;
    ResultEnter = "result.enter": Analyst;
    ResultReview = "result.review": Reviewer;
    /// Superseding an approved result that was found wrong.
    ResultCorrect = "result.correct": Quality;
    /// The laboratory check after a result out of specification (OOS), its cause and the plan of repetitions.
    OosInvestigate = "oos.investigate": Reviewer Quality;
    /// Approving a cause or a plan, and the confirmation of a result out of specification (OOS).
    OosDecide = "oos.decide": Quality;
    RawRecordRead = "raw_record.read": Analyst Reviewer AuthorisedSignatory Quality;

    // Instruments
    InstrumentUpload = "instrument.upload": Analyst;
    InstrumentRead = "instrument.read": Analyst Reviewer AuthorisedSignatory Quality;
    InstrumentAccept = "instrument.accept": Analyst;
    InstrumentReject = "instrument.reject": Analyst;
    /// Comparing what was imported with the file, by somebody else.
    InstrumentCheck = "instrument.check": Reviewer;

    // Evaluations of sequences and plates, and the reference standards that they rest on
    EvaluationRead = "evaluation.read": Analyst Reviewer AuthorisedSignatory Quality;
    EvaluationCreate = "evaluation.create": Analyst;
    StandardManage = "standard.manage": Analyst Quality;
    InstrumentRegisterRead = "instrument_register.read": Analyst Reviewer AuthorisedSignatory Quality Administrator;
    InstrumentRegisterManage = "instrument_register.manage": Quality Administrator;
    /// A folder or a port of the server is named here.
    InstrumentCalibrate = "instrument.calibrate": Quality;
    DeadLetterDecide = "dead_letter.decide": Analyst Quality;

    // Certificates
    /// The maker's record of a lot, looked at beside the tests.
    ProtocolReview = "protocol.review": Reviewer Quality;
    CertificateRead = "certificate.read": Receiver Reviewer AuthorisedSignatory PortSampler Quality;
    CertificateDraft = "certificate.draft": Reviewer AuthorisedSignatory;
    CertificateReview = "certificate.review": Reviewer Quality;
    CertificateSign = "certificate.sign": AuthorisedSignatory;
    CertificateDiscard = "certificate.discard": Reviewer AuthorisedSignatory;
    CertificateWithdraw = "certificate.withdraw": AuthorisedSignatory Quality;

    CorrectionRead = "correction.read": Receiver Reviewer AuthorisedSignatory PortSampler Quality Administrator;
    /// Saying that something on record is wrong, and what it should be. Those who test see neither parties nor papers.
    CorrectionPropose = "correction.propose": Receiver Reviewer AuthorisedSignatory Quality Administrator;
    /// Approving that, or not.
    CorrectionDecide = "correction.decide": Quality AuthorisedSignatory;

    // The laboratory's registers
    CatalogueRead = "catalogue.read": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality Administrator;
    ApplicantManage = "applicant.manage": Receiver Administrator;
    /// Making an institute, and its first administrator.
    InstituteManage = "institute.manage": Installation;
    ProductManage = "product.manage": Quality Administrator;
    SpecificationDraft = "specification.draft": Quality;
    SpecificationRelease = "specification.release": Quality AuthorisedSignatory;
    AuthorisationManage = "authorisation.manage": Quality;
    RegulationRead = "regulation.read": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality Administrator Applicant;

    // People and trail
    AccountRead = "account.read": Quality Administrator;
    AccountManage = "account.manage": Administrator;
    /// What a signatory may sign, and until when.
    SignatoryAppoint = "signatory.appoint": Quality Administrator;
    /// Everybody's own matter: whoever has an account may change its password.
    OwnPasswordChange = "own_password.change": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality Administrator Installation Applicant;
    /// Everybody's own matter, too: ending a session that was left open elsewhere, and a second factor.
    OwnSessionEnd = "own_session.end": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality Administrator Installation Applicant;
    OwnSecondFactor = "own_second_factor.manage": Receiver Analyst Reviewer AuthorisedSignatory PortSampler Quality Administrator Installation Applicant;
    AuditRead = "audit.read": Quality Administrator;
    AuditVerify = "audit.verify": Quality Administrator;

    // Applicants, on their own cases only
    OwnCaseRead = "own_case.read": Applicant;
    OwnCaseSubmit = "own_case.submit": Applicant;
    OwnCaseWithdraw = "own_case.withdraw": Applicant;
    OwnCertificateRead = "own_certificate.read": Applicant;
}

/// Whether a role may do an action.
pub fn allowed(role: Role, action: Permission) -> bool {
    action.roles().contains(&role)
}

/// The whole table as text, an action a line with a mark for each role: for a golden file.
pub fn matrix() -> String {
    let mut text = format!("{:24}", "action");
    for role in Role::ALL {
        text.push_str(&format!(" {role}"));
    }
    text.push('\n');
    for action in Permission::ALL {
        let mut line = format!("{:24}", action.as_str());
        for role in Role::ALL {
            let mark = if allowed(*role, *action) { "x" } else { "." };
            line.push_str(&format!(" {mark:<width$}", width = role.as_str().len()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duties_stay_apart() {
        // Nobody by one role alone enters and reviews, reviews and signs, or signs and decides on a failing result.
        let pairs = [
            (Permission::ResultEnter, Permission::ResultReview),
            (Permission::InstrumentAccept, Permission::InstrumentCheck),
            (Permission::ResultEnter, Permission::OosDecide),
            (Permission::ResultEnter, Permission::CertificateSign),
            (Permission::CertificateReview, Permission::CertificateSign),
            (Permission::CertificateSign, Permission::OosDecide),
            (Permission::AccountManage, Permission::ResultEnter),
            (Permission::AccountManage, Permission::CertificateSign),
        ];
        for (one, other) in pairs {
            for role in Role::ALL {
                assert!(!(allowed(*role, one) && allowed(*role, other)), "{role} may do both {one:?} and {other:?}");
            }
        }
        assert!(!allowed(Role::Analyst, Permission::ApplicantRead));
    }

    #[test]
    fn the_installation_makes_institutes_and_nothing_else() {
        let all = Permission::ALL.iter().filter(|action| allowed(Role::Installation, **action));
        let own: Vec<&str> = all.map(|action| action.as_str()).collect();
        // Beside it, what everybody does with the own account.
        assert_eq!(own, ["institute.manage", "own_password.change", "own_session.end", "own_second_factor.manage"]);
        assert_eq!(Permission::InstituteManage.roles(), [Role::Installation]);
    }

    #[test]
    fn applicants_see_only_their_own() {
        let own: Vec<&str> = Permission::ALL
            .iter()
            .filter(|action| allowed(Role::Applicant, **action))
            .map(|action| action.as_str())
            .collect();
        assert_eq!(
            own,
            [
                "regulation.read",
                "own_password.change",
                "own_session.end",
                "own_second_factor.manage",
                "own_case.read",
                "own_case.submit",
                "own_case.withdraw",
                "own_certificate.read"
            ]
        );
    }

    #[test]
    fn every_action_has_somebody_and_a_line_in_the_matrix() {
        assert!(Permission::ALL.iter().all(|action| !action.roles().is_empty()));
        assert!(Permission::ALL.iter().all(|action| Permission::parse(action.as_str()) == Some(*action)));
        let matrix = matrix();
        assert_eq!(matrix.lines().count(), Permission::ALL.len() + 1);
        let sign = matrix.lines().find(|line| line.starts_with("certificate.sign")).expect("the line");
        assert_eq!(sign.matches('x').count(), 1);
    }
}
