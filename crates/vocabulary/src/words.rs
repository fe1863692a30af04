//! The closed vocabularies of a case: words of the public interface, with their names in Chinese and English.

vocabulary! {
    /// The line of work that a case belongs to.
    Business {
        DrugRegistration = "drug_registration", "药品注册检验", "drug registration testing";
        DeviceRegistration = "device_registration", "医疗器械注册检验", "device registration testing";
        LotRelease = "lot_release", "生物制品批签发", "lot release of biologics";
        PortEntry = "port_entry", "进口药品通关检验", "port-of-entry testing of imported drugs";
    }
}

vocabulary! {
    /// What sort of product is tested.
    Category {
        Chemical = "chemical", "化学药品", "chemical drug";
        Tcm = "tcm", "中药", "traditional Chinese medicine";
        /// 药材: the measures of drug import leave it to rules of its own.
        MedicinalMaterial = "medicinal_material", "药材", "medicinal material";
        Biologic = "biologic", "生物制品", "biologic";
        Vaccine = "vaccine", "疫苗", "vaccine";
        BloodProduct = "blood_product", "血液制品", "blood product";
        BloodScreeningReagent = "blood_screening_reagent", "血源筛查试剂", "blood-screening reagent";
        Device = "device", "医疗器械", "medical device";
        Ivd = "ivd", "体外诊断试剂", "in-vitro diagnostic";
    }
}

impl Category {
    /// Drugs and devices are under different law; blood-screening reagents are regulated as drugs.
    pub const fn kind(self) -> Kind {
        match self {
            Category::Device | Category::Ivd => Kind::Device,
            _ => Kind::Drug,
        }
    }
}

vocabulary! {
    /// The two families of products.
    Kind {
        Drug = "drug", "药品", "drug";
        Device = "device", "医疗器械", "device";
    }
}

vocabulary! {
    /// The risk class of a device.
    DeviceClass {
        I = "I", "第一类", "class I";
        II = "II", "第二类", "class II";
        III = "III", "第三类", "class III";
    }
}

vocabulary! {
    /// What sets a product apart in the eyes of a provision.
    Trait {
        Innovative = "innovative", "创新", "innovative";
        ClinicallyUrgent = "clinically_urgent", "临床急需", "clinically urgent";
        RareDisease = "rare_disease", "罕见病用", "for a rare disease";
        InfluenzaVaccine = "influenza_vaccine", "流感疫苗", "influenza vaccine";
        SeasonalInfluenzaVaccine = "seasonal_influenza_vaccine", "季节性流感疫苗", "seasonal influenza vaccine";
        FirstOfKind = "first_of_kind", "首个", "first of its kind";
        FirstInCountry = "first_in_country", "全国首个", "first of its kind in the country";
        /// 优先审评, 优先审批 and 符合优先审批条件.
        PriorityReview = "priority_review", "优先审评审批", "under priority review";
        KeyVariety = "key_variety", "重点品种", "key variety";
        ImportToLocal = "import_to_local", "进口转本地生产", "imported until now, to be made locally";
        LowRisk = "low_risk", "低风险", "low-risk";
        Emergency = "emergency", "应急", "emergency";
    }
}

vocabulary! {
    /// What the test is for.
    Purpose {
        Initial = "initial", "首次申请", "initial application";
        Supplement = "supplement", "补充申请", "supplementary application";
        SiteChange = "site_change", "变更生产场地", "change of manufacturing site";
        MajorChange = "major_change", "重大变更", "major change";
    }
}

vocabulary! {
    /// The dates of a case that a clock may start from or that select a provision.
    DateName {
        Accepted = "accepted", "受理", "accepted";
        ArrivedAtPort = "arrived_at_port", "到港", "arrived at the port";
        NoticeReceived = "notice_received", "接到口岸检验通知书", "notice received";
        Sampled = "sampled", "抽样", "sampled";
        Received = "received", "收样", "samples received";
        SupplementRequested = "supplement_requested", "要求补充资料", "supplement requested";
        ResultReceived = "result_received", "申请人收到结果", "result received by the applicant";
        SamplingRefused = "sampling_refused", "不予抽样", "sampling refused";
        ReExaminationAccepted = "re_examination_accepted", "受理复验", "request for a re-test accepted";
        ReviewEnds = "review_ends", "审评时限届满", "end of the time for review";
    }
}

vocabulary! {
    /// The order in which work is taken: `Immediate` before `GreenChannel` before `Routine`.
    Lane {
        Routine = "routine", "常规", "routine";
        GreenChannel = "green_channel", "绿色通道（优先检验）", "green channel (priority testing)";
        Immediate = "immediate", "即收即检", "tested on receipt";
    }
}

vocabulary! {
    /// What a clock counts.
    ClockUnit {
        WorkingDay = "working_day", "个工作日", "working days";
        CalendarDay = "calendar_day", "日", "calendar days";
    }
}

vocabulary! {
    /// The statutory clocks.
    ClockName {
        Testing = "testing", "检验", "testing";
        PortSampling = "port_sampling", "口岸抽样", "sampling at the port";
        PortContact = "port_contact", "联系进口单位", "contacting the importer";
        PortReport = "port_report", "口岸检验报告", "port test report";
        AcceptanceDecision = "acceptance_decision", "受理决定", "decision on acceptance";
        SupplementResponse = "supplement_response", "补充资料", "supplementary material";
        ReExaminationRequest = "re_examination_request", "申请复验（复审）", "request for re-examination";
        SamplingRefusalReport = "sampling_refusal_report", "送交不予抽样的记录", "report of a refusal to sample";
        PortRetestConclusion = "port_retest_conclusion", "口岸复验结论", "conclusion of a re-test at the port";
        ReviewMargin = "review_margin", "审评届满前完成检验", "testing finished before the review ends";
    }
}

impl ClockName {
    /// The laboratory's own clocks: the earliest of them is when its work is due. The others bind the applicant, or
    /// count what comes before and after the work.
    pub const LABORATORY: &'static [ClockName] = &[ClockName::Testing, ClockName::PortReport];

    /// The clocks that acceptance ends: a case that is accepted no longer waits for them.
    pub const ENDED_BY_ACCEPTANCE: &'static [ClockName] = &[ClockName::AcceptanceDecision];

    /// Whether the clock is counted back from its day: it says until when before that day, not how long after it.
    pub const fn counts_back(self) -> bool {
        matches!(self, ClockName::ReviewMargin)
    }
}

vocabulary! {
    /// How far a statement was verified: from words read in the document down to general knowledge.
    Confidence {
        Stated = "S", "文件原文", "stands word for word in the document";
        Verified = "V", "已核对公布文本", "read in a published text of the rule";
        Secondary = "V2", "二手文本", "read in a secondary text";
        MemoryHigh = "M-H", "一般知识（高）", "general knowledge, high confidence";
        MemoryMedium = "M-M", "一般知识（中）", "general knowledge, medium confidence";
        MemoryLow = "M-L", "一般知识（低）", "general knowledge, low confidence";
    }
}

impl Confidence {
    /// Whether it was read in some text. What rests on general knowledge alone is not an authority to cite on a document.
    pub const fn is_read(self) -> bool {
        matches!(self, Confidence::Stated | Confidence::Verified | Confidence::Secondary)
    }
}

/// The subdivisions of China in ISO 3166-2 (letter codes), with their names.
const SUBDIVISIONS: &[(&str, &str, &str)] = &[
    ("AH", "安徽", "Anhui"),
    ("BJ", "北京", "Beijing"),
    ("CQ", "重庆", "Chongqing"),
    ("FJ", "福建", "Fujian"),
    ("GD", "广东", "Guangdong"),
    ("GS", "甘肃", "Gansu"),
    ("GX", "广西", "Guangxi"),
    ("GZ", "贵州", "Guizhou"),
    ("HA", "河南", "Henan"),
    ("HB", "湖北", "Hubei"),
    ("HE", "河北", "Hebei"),
    ("HI", "海南", "Hainan"),
    ("HK", "香港", "Hong Kong"),
    ("HL", "黑龙江", "Heilongjiang"),
    ("HN", "湖南", "Hunan"),
    ("JL", "吉林", "Jilin"),
    ("JS", "江苏", "Jiangsu"),
    ("JX", "江西", "Jiangxi"),
    ("LN", "辽宁", "Liaoning"),
    ("MO", "澳门", "Macao"),
    ("NM", "内蒙古", "Inner Mongolia"),
    ("NX", "宁夏", "Ningxia"),
    ("QH", "青海", "Qinghai"),
    ("SC", "四川", "Sichuan"),
    ("SD", "山东", "Shandong"),
    ("SH", "上海", "Shanghai"),
    ("SN", "陕西", "Shaanxi"),
    ("SX", "山西", "Shanxi"),
    ("TJ", "天津", "Tianjin"),
    ("TW", "台湾", "Taiwan"),
    ("XJ", "新疆", "Xinjiang"),
    ("XZ", "西藏", "Xizang"),
    ("YN", "云南", "Yunnan"),
    ("ZJ", "浙江", "Zhejiang"),
];

/// Where a rule holds or a case is decided: the country (`CN`) or one of its subdivisions (`CN-SH`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, example = "CN-SX"))]
pub struct Jurisdiction(Option<u8>);

impl Jurisdiction {
    /// The whole country.
    pub const NATIONAL: Jurisdiction = Jurisdiction(None);

    /// Reads `CN` or `CN-` and a letter code of ISO 3166-2; `None` for anything else.
    pub fn parse(code: &str) -> Option<Self> {
        if code == "CN" {
            return Some(Self::NATIONAL);
        }
        let suffix = code.strip_prefix("CN-")?;
        let index = SUBDIVISIONS.iter().position(|(c, _, _)| *c == suffix)?;
        Some(Jurisdiction(Some(u8::try_from(index).ok()?)))
    }

    /// The code, `CN` or `CN-SH`.
    pub fn code(self) -> String {
        match self.subdivision() {
            None => "CN".to_owned(),
            Some((code, _, _)) => format!("CN-{code}"),
        }
    }

    /// The name in Chinese.
    pub fn zh(self) -> &'static str {
        self.subdivision().map_or("全国", |(_, zh, _)| zh)
    }

    /// The name in English.
    pub fn en(self) -> &'static str {
        self.subdivision().map_or("national", |(_, _, en)| en)
    }

    /// Whether this is the whole country.
    pub const fn is_national(self) -> bool {
        self.0.is_none()
    }

    /// Whether a rule made here reaches a case decided in `place`.
    pub fn covers(self, place: Jurisdiction) -> bool {
        self.is_national() || self == place
    }

    fn subdivision(self) -> Option<&'static (&'static str, &'static str, &'static str)> {
        self.0.and_then(|index| SUBDIVISIONS.get(usize::from(index)))
    }
}

/// Whether a text is the code of a jurisdiction.
pub fn is_jurisdiction(code: &str) -> bool {
    Jurisdiction::parse(code).is_some()
}

impl std::fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code())
    }
}

impl serde::Serialize for Jurisdiction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Jurisdiction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <String as serde::Deserialize>::deserialize(deserializer)?;
        Jurisdiction::parse(&code).ok_or_else(|| {
            serde::de::Error::custom(format!("`{code}` is not CN or CN- and a letter code of ISO 3166-2"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jurisdictions_are_those_of_iso_3166_2() {
        for code in ["CN", "CN-SH", "CN-SX", "CN-SN", "CN-JL", "CN-GD"] {
            let found = Jurisdiction::parse(code).expect(code);
            assert_eq!(found.code(), code);
        }
        for code in ["", "cn", "CN-", "CN-sh", "CN-ZZ", "CN-31", "US", "CN-SH "] {
            assert_eq!(Jurisdiction::parse(code), None, "{code}");
        }
        assert_eq!(Jurisdiction::parse("CN-SX").map(Jurisdiction::zh), Some("山西"));
        assert_eq!(Jurisdiction::parse("CN-SN").map(Jurisdiction::zh), Some("陕西"));
    }

    #[test]
    fn words_read_back() {
        for value in Trait::ALL {
            assert_eq!(Trait::parse(value.as_str()), Some(*value));
        }
        for value in ClockName::ALL {
            assert_eq!(ClockName::parse(value.as_str()), Some(*value));
        }
        assert!(Lane::Immediate > Lane::GreenChannel && Lane::GreenChannel > Lane::Routine);
    }
}
