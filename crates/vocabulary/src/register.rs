//! The words of the laboratory's registers: specifications, authorisations and accounts, and where each of them is on
//! a day. Days are whatever is ordered as days are, so that a stored date and a calendar date are judged alike.

vocabulary! {
    /// Where a seal of the trail was shown outside.
    AnchorKind {
        /// An authority signed when it saw it (RFC 3161).
        TimeStamp = "time_stamp", "时间戳", "time-stamp";
        /// A log of another machine has it (RFC 5424).
        Syslog = "syslog", "系统日志", "syslog";
    }
}

vocabulary! {
    /// The state of a specification, as stored.
    SpecificationState {
        Draft = "draft", "草稿", "draft";
        /// Released: it is in force from its date on, until a later one's date.
        Effective = "effective", "现行", "effective";
        /// Taken out of force at once by the release of another, as was done before dates were respected.
        Superseded = "superseded", "已替代", "superseded";
    }
}

vocabulary! {
    /// What happens to a specification.
    SpecificationEvent {
        Release = "release", "发布", "release";
    }
}

transitions! { SpecificationState on SpecificationEvent, Specification:
    Draft + Release = Effective;
}

vocabulary! {
    /// What a specification is on a day, beside the others of its product.
    SpecificationStanding {
        Draft = "draft", "草稿", "draft";
        /// Released, but its date has not come.
        Coming = "coming", "已发布待实施", "released, not in force yet";
        Effective = "effective", "现行", "effective";
        Superseded = "superseded", "已替代", "superseded";
    }
}

/// What decides which of a product's specifications is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecificationDates<D> {
    /// As stored.
    pub state: SpecificationState,
    /// From when on; none for a draft.
    pub from: Option<D>,
    /// Of two that begin on the same day, the later version counts.
    pub version: i64,
}

impl<D: Ord + Copy> SpecificationDates<D> {
    /// The place of one that has begun by then; the greatest is in force.
    fn begun(&self, on: D) -> Option<(D, i64)> {
        let from = self.from.filter(|from| self.state == SpecificationState::Effective && *from <= on)?;
        Some((from, self.version))
    }
}

/// Which of a product's specifications is in force on a day, by its place in the list.
pub fn in_force<D: Ord + Copy>(all: &[SpecificationDates<D>], on: D) -> Option<usize> {
    let begun = all.iter().enumerate().filter_map(|(at, one)| Some((one.begun(on)?, at)));
    begun.max_by_key(|(begun, _)| *begun).map(|(_, at)| at)
}

/// What each of a product's specifications is on a day, in the order of the list.
pub fn standings<D: Ord + Copy>(all: &[SpecificationDates<D>], on: D) -> Vec<SpecificationStanding> {
    let current = in_force(all, on);
    let standing = |(at, one): (usize, &SpecificationDates<D>)| match one.state {
        SpecificationState::Draft => SpecificationStanding::Draft,
        SpecificationState::Effective if current == Some(at) => SpecificationStanding::Effective,
        SpecificationState::Effective if one.from.is_some_and(|from| from > on) => SpecificationStanding::Coming,
        SpecificationState::Effective | SpecificationState::Superseded => SpecificationStanding::Superseded,
    };
    all.iter().enumerate().map(standing).collect()
}

vocabulary! {
    /// What a certificate's annex can show of an item's accepted result.
    AnnexPicture {
        Chromatogram = "chromatogram", "色谱图", "chromatogram";
    }
}

vocabulary! {
    /// What a lot-release authorisation is on a day, by its dates.
    AuthorisationState {
        Coming = "coming", "尚未生效", "not valid yet";
        Valid = "valid", "有效", "valid";
        Ended = "ended", "已失效", "ended";
    }
}

impl AuthorisationState {
    /// By the first and the last day of its validity.
    pub fn on<D: Ord>(from: &D, to: Option<&D>, day: &D) -> Self {
        if day < from {
            return Self::Coming;
        }
        if to.is_some_and(|to| to < day) { Self::Ended } else { Self::Valid }
    }
}

vocabulary! {
    /// Who chose the password that an account has.
    PasswordOrigin {
        /// Its owner.
        Own = "own", "本人设置", "chosen by its owner";
        /// Somebody else, who knows it: it is changed at the first log-in.
        Given = "given", "他人设置", "given by somebody else";
        /// The demonstration, which publishes it.
        Demonstration = "demonstration", "演示账户", "of the demonstration";
    }
}

impl PasswordOrigin {
    /// What a password is that somebody sets for another, by who sets it: a demonstration makes nothing but more of
    /// itself, since whoever has read its documentation is its administrator.
    pub const fn set_by(self) -> Self {
        match self {
            Self::Demonstration => Self::Demonstration,
            Self::Own | Self::Given => Self::Given,
        }
    }
}

vocabulary! {
    /// The state of an account.
    AccountState {
        Active = "active", "正常", "active";
        Disabled = "disabled", "已停用", "disabled";
    }
}

vocabulary! {
    /// What happens to an account.
    AccountEvent {
        Disable = "disable", "停用", "disable";
        Enable = "enable", "启用", "enable";
    }
}

// Disabling says how the account is to be, whoever said so before: a repetition changes nothing and is not a fault.
transitions! { AccountState on AccountEvent, Account:
    Active + Disable = Disabled;
    Active + Enable = Active;
    Disabled + Disable = Disabled;
    Disabled + Enable = Active;
}

impl AccountState {
    /// As the account's column says it.
    pub const fn of(disabled: bool) -> Self {
        if disabled { Self::Disabled } else { Self::Active }
    }

    /// For the account's column.
    pub const fn is_disabled(self) -> bool {
        matches!(self, Self::Disabled)
    }
}

/// The tables of the lifecycles of the registers: for a golden file.
pub(crate) fn table() -> String {
    [SpecificationState::table(), AccountState::table()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use SpecificationState::{Draft, Effective, Superseded};

    fn dates(state: SpecificationState, from: Option<&'static str>, version: i64) -> SpecificationDates<&'static str> {
        SpecificationDates { state, from, version }
    }

    #[test]
    fn a_released_specification_waits_for_its_date() {
        let all = [dates(Effective, Some("2026-01-05"), 1), dates(Effective, Some("2026-07-01"), 2)];
        assert_eq!(in_force(&all, "2026-06-30"), Some(0), "the old one until the day before");
        assert_eq!(in_force(&all, "2026-07-01"), Some(1), "the new one from its day on");
        assert_eq!(in_force(&all, "2026-01-04"), None, "none before the first");
        use SpecificationStanding as S;
        assert_eq!(standings(&all, "2026-01-04"), [S::Coming, S::Coming]);
        assert_eq!(standings(&all, "2026-06-30"), [S::Effective, S::Coming]);
        assert_eq!(standings(&all, "2026-07-01"), [S::Superseded, S::Effective]);
    }

    #[test]
    fn the_order_of_the_list_decides_nothing() {
        let all = [
            dates(Draft, None, 4),
            dates(Effective, Some("2026-07-01"), 3),
            dates(Effective, Some("2026-07-01"), 2),
            dates(Superseded, Some("2026-06-01"), 1),
        ];
        assert_eq!(in_force(&all, "2026-07-01"), Some(1), "of two of one day the later version");
        let mut turned = all;
        turned.reverse();
        assert_eq!(in_force(&turned, "2026-07-01"), Some(2));
        assert_eq!(in_force(&all, "2026-06-30"), None, "neither a draft nor one that was taken out of force");
        use SpecificationStanding as S;
        assert_eq!(standings(&all, "2026-07-01"), [S::Draft, S::Effective, S::Superseded, S::Superseded]);
    }

    #[test]
    fn an_urgent_version_may_come_before_one_that_waits() {
        let all = [
            dates(Effective, Some("2026-01-05"), 1),
            dates(Effective, Some("2027-01-01"), 2),
            dates(Effective, Some("2026-12-15"), 3),
        ];
        assert_eq!(in_force(&all, "2026-12-14"), Some(0));
        assert_eq!(in_force(&all, "2026-12-31"), Some(2));
        assert_eq!(in_force(&all, "2027-01-01"), Some(1));
    }

    #[test]
    fn only_a_draft_is_released() {
        assert_eq!(Draft.on(SpecificationEvent::Release), Ok(Effective));
        assert!(Effective.on(SpecificationEvent::Release).is_err());
        assert!(Superseded.on(SpecificationEvent::Release).is_err());
    }

    #[test]
    fn an_authorisation_is_valid_on_its_first_and_its_last_day() {
        let on = |to: Option<&'static str>, day| AuthorisationState::on(&"2026-01-01", to.as_ref(), &day);
        assert_eq!(on(Some("2026-12-31"), "2025-12-31"), AuthorisationState::Coming);
        assert_eq!(on(Some("2026-12-31"), "2026-01-01"), AuthorisationState::Valid);
        assert_eq!(on(Some("2026-12-31"), "2026-12-31"), AuthorisationState::Valid);
        assert_eq!(on(Some("2026-12-31"), "2027-01-01"), AuthorisationState::Ended);
        assert_eq!(on(None, "2099-01-01"), AuthorisationState::Valid);
    }
}
