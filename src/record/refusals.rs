//! What the actor of an entry may not do, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::store::Failure;

/// Why an actor does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRefusal {
    /// The actor works for no institute.
    StaffOnly,
    /// What is remembered outside the database is not what the database has.
    Misremembered(Misremembered),
    /// There is nothing to decide: the database has what is remembered of it.
    NothingToDecide,
    /// A server that seals already joins no other.
    KeysThere,
    /// A decision without its reason, or without who decided.
    Unsaid(&'static str),
}

/// How the database and what is remembered of it differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misremembered {
    /// There are seals, or a key that made some, and nothing is remembered of them.
    Nothing,
    /// A later seal is remembered than the database has.
    Older {
        /// The seal that is remembered.
        remembered: i64,
        /// The last one of the database; 0 for none.
        last: i64,
    },
    /// The seal that is remembered is another one.
    Other {
        /// Its number.
        seal: i64,
    },
}

impl Misremembered {
    fn words(self) -> (String, String) {
        match self {
            Self::Nothing => (
                "数据库之外没有保存最近的封签".into(),
                "nothing is remembered outside the database of its last seal".into(),
            ),
            Self::Older { remembered, last } => (
                format!(
                    "数据库只到第{last}号封签，而数据库之外保存的是第{remembered}号：数据库被换成较早的一份，或封签被删除"
                ),
                format!(
                    "the database ends with seal {last}, and seal {remembered} is remembered outside of it: it is an \
                     older copy, or seals were removed"
                ),
            ),
            Self::Other { seal } => (
                format!("第{seal}号封签与数据库之外保存的不一致"),
                format!("seal {seal} is not the one that is remembered outside the database"),
            ),
        }
    }
}

impl From<RecordRefusal> for Refusal {
    fn from(why: RecordRefusal) -> Self {
        match why {
            RecordRefusal::StaffOnly => Self::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"),
            RecordRefusal::Misremembered(how) => {
                let (zh, en) = how.words();
                Self::new(
                    Code::RecordHeld,
                    format!("{zh}。在负责人以 qianfa audit accept 决定之前不再写入"),
                    format!("{en}; nothing is written until a person has decided with `qianfa audit accept`"),
                )
            }
            RecordRefusal::NothingToDecide => Self::new(
                Code::Conflict,
                "数据库与其外保存的封签一致，无需决定",
                "the database has the seal that is remembered: there is nothing to decide",
            ),
            RecordRefusal::KeysThere => Self::new(
                Code::Conflict,
                "本服务器已有封签密钥，只能在首次启动前加入",
                "this server has keys that seal already: it joins before its first start only",
            ),
            RecordRefusal::Unsaid(field) => {
                Self::new(Code::InvalidField, "决定须写明决定人和理由", "a decision says who made it, and why")
                    .at(field)
            }
        }
    }
}

impl From<RecordRefusal> for Failure {
    fn from(why: RecordRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        walk::every(
            include_str!("refusals.rs"),
            &[
                RecordRefusal::StaffOnly,
                RecordRefusal::Misremembered(Misremembered::Nothing),
                RecordRefusal::Misremembered(Misremembered::Older { remembered: 7, last: 3 }),
                RecordRefusal::Misremembered(Misremembered::Other { seal: 7 }),
                RecordRefusal::NothingToDecide,
                RecordRefusal::KeysThere,
                RecordRefusal::Unsaid("reason"),
            ],
        );
    }
}
