//! What the system says when it will not do something: one code, one status, in both languages.
//!
//! The codes are a public interface (`type` of a problem document): add, never rename.

use serde::{Deserialize, Serialize};

use crate::vocabulary::states::WrongState;

/// Defines the codes once: Rust name, public name, HTTP status, short titles.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $zh:literal, $en:literal;)*) => {
        /// A stable code of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code of that public name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Code::$name),)* _ => None }
            }

            /// The public name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The HTTP status that carries it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status,)* }
            }

            /// A short title, Chinese and English.
            #[must_use]
            pub fn title(self) -> (&'static str, &'static str) {
                match self { $(Code::$name => ($zh, $en),)* }
            }
        }
    };
}

codes! {
    BadRequest = "bad-request", 400, "请求无法读取", "The request cannot be read";
    InvalidField = "invalid-field", 422, "字段不符合要求", "A field is not as expected";
    Unauthenticated = "unauthenticated", 401, "请先登录", "Log in first";
    BadCredentials = "bad-credentials", 401, "用户名或密码错误", "User name or password is wrong";
    TooManyAttempts = "too-many-attempts", 429, "尝试次数过多", "Too many attempts";
    PasswordChangeDue = "password-change-due", 403, "请先修改密码", "Change the password first";
    SecondFactorDue = "second-factor-due", 403, "请先启用双因素验证", "Set up the second factor first";
    AccountLocked = "account-locked", 423, "账户已锁定", "The account is locked";
    SessionRevoked = "session-revoked", 401, "会话已失效", "The session is no longer valid";
    Csrf = "csrf", 403, "页面已过期，请刷新", "The page is out of date: reload it";
    Forbidden = "forbidden", 403, "没有权限", "Not permitted";
    NotFound = "not-found", 404, "未找到", "Not found";
    MethodNotAllowed = "method-not-allowed", 405, "不支持该方法", "The method is not allowed here";
    Conflict = "conflict", 409, "与现有记录冲突", "It conflicts with what is recorded";
    Stale = "stale", 409, "内容已被他人修改", "It was changed meanwhile";
    WrongState = "wrong-state", 409, "当前状态不允许", "The state does not allow it";
    IdempotencyMismatch = "idempotency-mismatch", 409, "幂等键已用于不同请求", "The idempotency key served another request";
    TooLarge = "too-large", 413, "内容过大", "The content is too large";
    UnsupportedMedia = "unsupported-media-type", 415, "不支持的内容类型", "The content type is not supported";
    NotDetermined = "not-determined", 422, "无法作出判定", "The case cannot be determined";
    RefusedByRegulation = "refused-by-regulation", 422, "法规不允许", "The regulation does not allow it";
    QuantityShort = "quantity-short", 422, "样品数量不足", "The quantity is short";
    BatchesMissing = "batches-missing", 422, "批数不足", "Batches are missing";
    NotAuthorised = "institute-not-authorised", 422, "机构未获该品种授权", "The institute is not authorised for it";
    LedgerRefused = "ledger-refused", 422, "样品账目不允许", "The custody ledger does not allow it";
    SelfReview = "self-review", 409, "职责须由不同人承担", "Somebody else has to do it";
    SignatureNeeded = "signature-needed", 403, "须以密码签名", "A signature with the password is needed";
    OutsideField = "outside-signing-field", 403, "不在授权签字领域内", "Outside the signatory's field";
    ImportUnchecked = "import-unchecked", 422, "仪器文件导入未经复核", "The import was not checked by a second person";
    OutsideRange = "value-outside-range", 422, "数值超出合理范围", "A value lies outside its range";
    OosOpen = "out-of-limit-open", 409, "存在未决的超标结果", "An OOS result awaits its decision";
    ResultsMissing = "results-missing", 409, "检验尚未完成", "Results are missing";
    FactsMissing = "facts-missing", 409, "文件所须事实不全", "Facts that the document states are missing";
    FileNotRecognised = "file-not-recognised", 422, "无法识别的仪器文件", "The instrument file is not recognised";
    FileIncomplete = "file-incomplete", 422, "仪器文件不完整", "The instrument file is incomplete";
    GlyphMissing = "glyph-missing", 422, "字体缺少该字", "The font lacks a character";
    SignatureKey = "signature-key", 409, "签名密钥不可用", "The signing key is not at hand";
    Busy = "busy", 503, "系统繁忙，请重试", "Busy: try again";
    DatabaseLocked = "database-locked", 503, "数据库被占用", "The database is locked";
    StorageFull = "storage-full", 503, "存储空间已满", "The storage is full";
    RecordHeld = "record-held", 503, "审计追踪待处置", "The trail waits for a decision";
    StorageDamaged = "storage-damaged", 503, "存储数据已损坏", "The stored data are damaged";
    StorageFailing = "storage-failing", 503, "存储无法写入", "The storage cannot be written";
    ClockBack = "clock-back", 503, "系统时钟被拨回", "The clock was set back";
    RecordUnreadable = "record-unreadable", 500, "已存记录无法读取", "A stored record cannot be read";
    Internal = "internal", 500, "内部错误", "Internal error";
}

/// A refusal: nothing was changed, and this is why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refusal {
    /// The stable code.
    #[serde(serialize_with = "code_text", deserialize_with = "code_of_text")]
    #[schema(value_type = String, example = "quantity-short")]
    pub code: Code,
    /// What is wrong and what was expected, in Chinese.
    pub message_zh: String,
    /// The same in English.
    pub message_en: String,
    /// The field, as a JSON path, where one field is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The provisions that made the decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provisions: Vec<String>,
    /// Numbers and ids that a program can read.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub details: serde_json::Value,
}

fn code_text<S: serde::Serializer>(code: &Code, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(code.as_str())
}

fn code_of_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    let text = String::deserialize(from)?;
    Code::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a code of a refusal")))
}

impl Refusal {
    /// A refusal with its message in Chinese and English.
    #[must_use]
    pub fn new(code: Code, message_zh: impl Into<String>, message_en: impl Into<String>) -> Self {
        Self {
            code,
            message_zh: message_zh.into(),
            message_en: message_en.into(),
            field: None,
            provisions: Vec::new(),
            details: serde_json::Value::Null,
        }
    }

    /// A field that is not as expected.
    #[must_use]
    pub fn field(field: impl Into<String>, message_zh: impl Into<String>, message_en: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(Code::InvalidField, message_zh, message_en) }
    }

    /// Nothing of that kind has that id.
    #[must_use]
    pub fn not_found(kind_zh: &str, kind_en: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("未找到{kind_zh} {id}"), format!("there is no {kind_en} {id}"))
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the provisions that made the decision.
    #[must_use]
    pub fn by(mut self, provisions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.provisions = provisions.into_iter().map(Into::into).collect();
        self
    }

    /// Adds what a program can read.
    #[must_use]
    pub fn with(mut self, details: serde_json::Value) -> Self {
        self.details = details;
        self
    }
}

/// An event that does not fit the state of a thing.
impl From<WrongState> for Refusal {
    fn from(refused: WrongState) -> Self {
        Self::new(Code::WrongState, refused.zh(), refused.en())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} / {}", self.code.as_str(), self.message_zh, self.message_en)?;
        if let Some(field) = &self.field {
            write!(f, " [{field}]")?;
        }
        if !self.provisions.is_empty() {
            write!(f, " ({})", self.provisions.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// What the tests of every module's refusals share.
#[cfg(test)]
pub(crate) mod walk {
    use std::collections::BTreeSet;
    use std::fmt::Debug;

    use super::Refusal;

    /// The variants of the first enum in a source, by their names.
    fn declared(source: &str) -> BTreeSet<&str> {
        let body = source.split("pub enum ").nth(1).and_then(|rest| rest.split("\n}").next()).expect("an enum");
        let variants = body.lines().filter_map(|line| line.strip_prefix("    "));
        let named = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        named.map(name).collect()
    }

    fn is_chinese(c: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&c)
    }

    /// The name of a variant, as its debug form begins.
    fn name(text: &str) -> &str {
        text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
    }

    /// Walks `given` through the conversion: there is one of every variant that `source` declares, and each says what
    /// it refuses in both languages.
    pub fn every<R: Clone + Debug + Into<Refusal>>(source: &str, given: &[R]) {
        every_but(source, given, &[]);
    }

    /// As [`every`], but for the variants that repeat the words of a provision or of another crate in one language.
    pub fn every_but<R: Clone + Debug + Into<Refusal>>(source: &str, given: &[R], quoting: &[&str]) {
        let debugged: Vec<String> = given.iter().map(|one| format!("{one:?}")).collect();
        let walked: BTreeSet<&str> = debugged.iter().map(|text| name(text)).collect();
        assert_eq!(walked, declared(source), "a variant is not walked through");
        for (one, text) in given.iter().zip(&debugged) {
            if quoting.contains(&name(text)) {
                continue;
            }
            let refusal: Refusal = one.clone().into();
            let (zh, en) = (&refusal.message_zh, &refusal.message_en);
            assert!(zh.chars().any(is_chinese), "{one:?} has no Chinese text: {zh:?}");
            assert!(!en.trim().is_empty() && !en.chars().any(is_chinese), "{one:?} has no English text: {en:?}");
            assert!(!en.starts_with(|c: char| c.is_ascii_uppercase()), "{one:?} begins with a capital: {en:?}");
        }
    }
}
