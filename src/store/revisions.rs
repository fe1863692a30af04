//! The revision of what changes after it was made: every update raises it by one, so that a write can name what it was
//! made on.

use diesel::prelude::*;

use super::schema;
use super::{AnyConnection, Outcome};

/// Declares the kinds: Rust name, word of the trail, table, names in Chinese and English.
macro_rules! revised {
    ($($name:ident = $word:literal, $table:ident, $zh:literal, $en:literal;)+) => {
        /// A kind of thing that has revisions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Revised { $(#[doc = $en] $name,)+ }

        impl Revised {
            /// Every kind.
            pub const ALL: &'static [Revised] = &[$(Revised::$name,)+];

            /// The word of the trail.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Revised::$name => $word,)+ }
            }

            /// The name in Chinese.
            #[must_use]
            pub fn zh(self) -> &'static str {
                match self { $(Revised::$name => $zh,)+ }
            }

            /// The name in English.
            #[must_use]
            pub fn en(self) -> &'static str {
                match self { $(Revised::$name => $en,)+ }
            }
        }

        /// The revision that a thing has now; `None` where there is no such thing.
        ///
        /// # Errors
        /// The store's failure.
        pub fn current(conn: &mut AnyConnection, kind: Revised, id: &str) -> Outcome<Option<i64>> {
            Ok(match kind {
                $(Revised::$name => schema::$table::table
                    .filter(schema::$table::id.eq(id))
                    .select(schema::$table::revision)
                    .first(conn)
                    .optional()?,)+
            })
        }
    };
}

revised! {
    Institute = "institute", institute, "机构", "institute";
    Applicant = "applicant", applicant, "申请人", "applicant";
    Account = "account", account, "账户", "account";
    Product = "product", product, "品种", "product";
    Specification = "specification", specification, "质量标准", "specification";
    Authorisation = "authorisation", authorisation, "授权", "authorisation";
    Case = "application", application, "申请", "case";
    Sample = "sample", sample, "样品", "sample";
    Instrument = "instrument", instrument, "仪器", "instrument";
    InstrumentFile = "instrument_file", instrument_file, "仪器文件", "instrument file";
    DeadLetter = "dead_letter", dead_letter, "未能接收的文件", "dead letter";
    RunList = "run_list", run_list, "序列表", "run list";
    Task = "test_task", test_task, "检验任务", "test task";
    Result = "result", result, "检验结果", "result";
    Standard = "reference_standard", reference_standard, "对照品", "reference standard";
    Certificate = "certificate", certificate, "证书", "certificate";
}
