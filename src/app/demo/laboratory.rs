//! The demonstration's institutes, people, products and specifications. All names are invented.

use super::files::{DemoFiles, Picked};
use super::{DemoError, beginning};
use crate::accounts::{AppointAdministrator, AppointSignatory, CreateAccount, FirstAdministrator, bootstrap};
use crate::action::{Services, act};
use crate::calculation::inputs::{InputSource, ReadingInput};
use crate::catalogue::{
    CreateApplicant, CreateInstitute, CreateProduct, DraftSpecification, GrantAuthorisation, NewItem,
    ReleaseSpecification,
};
use crate::record::Actor;
use crate::store::columns::{ApplicantId, InstituteId};
use crate::store::{Outcome, views};
use crate::vocabulary::{Business, Category, Comparison, ItemKind, PasswordOrigin, Role, Trait};

/// The password of every demonstration account.
pub const PASSWORD: &str = "qianfa-demo-2026";

/// Staff of one institute.
#[derive(Clone, Debug)]
pub(super) struct Staff {
    pub receiver: Actor,
    pub analyst: Actor,
    pub reviewer: Actor,
    pub quality: Actor,
    pub signatory: Actor,
    pub sampler: Actor,
}

/// What the cases work with.
#[derive(Clone, Debug)]
pub(super) struct Laboratory {
    pub shanxi: Staff,
    pub shanghai: Staff,
    pub applicants: [String; 3],
    /// Product ids: registration, vaccine, import
    pub products: [String; 3],
}

/// Whether the database has institutes already.
///
/// # Errors
/// The store's failure.
pub fn is_set_up(services: &Services) -> Outcome<bool> {
    Ok(!services.db.read(views::institutes)?.is_empty())
}

pub(super) fn set_up(services: &Services, files: &DemoFiles) -> Result<Laboratory, DemoError> {
    services.clock.set(beginning());
    crate::accounts::mark_demonstration(services)?;
    let admin = administrator(services)?;
    let shanxi = admin.institute.clone().unwrap_or_else(InstituteId::new);
    let shanghai = act(
        services,
        &admin,
        CreateInstitute {
            code: "SHDEMO".into(),
            name_zh: "上海市药品检验演示研究院".into(),
            name_en: "Shanghai Demonstration Institute for Drug Control".into(),
            abbreviation: "沪".into(),
            jurisdiction: "CN-SH".into(),
            address_zh: "上海市演示路 1 号".into(),
            address_en: "1 Demonstration Road, Shanghai".into(),
            sample_prefix: "SH".into(),
        },
    )?;
    let appointed = AppointAdministrator {
        id: shanghai.id.clone(),
        username: "admin.sh".into(),
        display_name: "上海管理员".into(),
        password: PASSWORD.to_owned().into(),
    };
    act(services, &admin, appointed)?;
    let admin_sh = services.identity.login("admin.sh", PASSWORD, None)?.actor;
    let applicant = |admin: &Actor, name: &str, address: &str| -> Outcome<String> {
        let new = CreateApplicant { name: name.into(), address: address.into(), contact: String::new() };
        Ok(act(services, admin, new)?.id.to_string())
    };
    let applicants = [
        applicant(&admin, "晋衡罕见病药业有限公司", "山西省太原市示范街 8 号")?,
        applicant(&admin_sh, "申江疫苗股份有限公司", "上海市浦东新区示范路 66 号")?,
        applicant(&admin_sh, "海纳国际医药贸易（上海）有限公司", "上海市自贸区示范道 18 号")?,
    ];
    let shanxi_staff = staff(services, &admin, &shanxi, "sx", ["王敏", "李哲", "赵岚", "陈宁", "郭正"])?;
    let shanghai_staff = staff(services, &admin_sh, &shanghai.id, "sh", ["沈怡", "周航", "吴静", "郑和", "徐行"])?;
    act(services, &admin_sh, account("applicant.sh", "申江疫苗", None, &applicants[1], Role::Applicant))?;
    for business in [Business::DrugRegistration, Business::DeviceRegistration] {
        appoint(services, &admin, &shanxi_staff.signatory, (business, None))?;
    }
    for field in [
        (Business::LotRelease, Some(Category::Vaccine)),
        (Business::PortEntry, None),
        (Business::DrugRegistration, None),
    ] {
        appoint(services, &admin_sh, &shanghai_staff.signatory, field)?;
    }
    let products = [
        registration_product(services, &shanxi_staff, files)?,
        vaccine(services, &shanghai_staff, &shanghai.id, files)?,
        imported(services, &shanghai_staff, files)?,
    ];
    Ok(Laboratory { shanxi: shanxi_staff, shanghai: shanghai_staff, applicants, products })
}

fn administrator(services: &Services) -> Result<Actor, DemoError> {
    bootstrap(
        services,
        CreateInstitute {
            code: "SXDEMO".into(),
            name_zh: "山西省药品检验演示研究院".into(),
            name_en: "Shanxi Demonstration Institute for Drug Control".into(),
            abbreviation: "晋".into(),
            jurisdiction: "CN-SX".into(),
            address_zh: "山西省太原市演示街 1 号".into(),
            address_en: "1 Demonstration Street, Taiyuan".into(),
            sample_prefix: "SX".into(),
        },
        FirstAdministrator {
            username: "admin".into(),
            display_name: "系统管理员".into(),
            password: PASSWORD.to_owned().into(),
            origin: PasswordOrigin::Demonstration,
        },
    )?;
    Ok(services.identity.login("admin", PASSWORD, None)?.actor)
}

fn account(username: &str, name: &str, institute: Option<&InstituteId>, applicant: &str, role: Role) -> CreateAccount {
    CreateAccount {
        username: username.into(),
        display_name: name.into(),
        password: PASSWORD.to_owned().into(),
        institute: institute.cloned(),
        applicant: institute.is_none().then(|| ApplicantId::from(applicant)),
        roles: vec![role],
    }
}

fn staff(
    services: &Services,
    admin: &Actor,
    institute: &InstituteId,
    place: &str,
    names: [&str; 5],
) -> Result<Staff, DemoError> {
    let person = |kind: &str, name: &str, role: Role| -> Outcome<Actor> {
        let username = format!("{kind}.{place}");
        act(services, admin, account(&username, name, Some(institute), "", role))?;
        Ok(services.identity.login(&username, PASSWORD, None)?.actor)
    };
    let [receiver, analyst, reviewer, quality, signatory] = names;
    Ok(Staff {
        receiver: person("receiver", receiver, Role::Receiver)?,
        analyst: person("analyst", analyst, Role::Analyst)?,
        reviewer: person("reviewer", reviewer, Role::Reviewer)?,
        quality: person("quality", quality, Role::Quality)?,
        signatory: person("signatory", signatory, Role::AuthorisedSignatory)?,
        sampler: person("sampler", "口岸抽样员", Role::PortSampler)?,
    })
}

fn finding(code: &str, names: (&str, &str), method: &str, limit: &str, consumes: &str) -> NewItem {
    NewItem {
        code: code.into(),
        name_zh: names.0.into(),
        name_en: names.1.into(),
        method: method.into(),
        kind: ItemKind::Text,
        unit: String::new(),
        limit: limit.into(),
        compare_by: Comparison::Text,
        rounding_step: None,
        formula: None,
        inputs: Vec::new(),
        replicates: 1,
        consumes: consumes.into(),
        consumes_unit: None,
        whole_containers: None,
        in_scope: true,
        plausible: None,
        retest_allowed: None,
        annex: Vec::new(),
    }
}

fn numeric(code: &str, names: (&str, &str), method: &str, limit: (&str, &str), consumes: &str) -> NewItem {
    NewItem {
        kind: ItemKind::Numeric,
        unit: limit.1.into(),
        compare_by: Comparison::Rounded,
        ..finding(code, names, method, limit.0, consumes)
    }
}

fn from_file(name: &str, label: &str, unit: &str, count: i64, source: InputSource) -> ReadingInput {
    ReadingInput {
        range: None,
        name: name.into(),
        label_zh: label.into(),
        label_en: String::new(),
        unit: unit.into(),
        count,
        source: Some(source),
    }
}

fn source(quantity: &str, analyte: Option<&str>, nth: Option<i64>) -> InputSource {
    InputSource { quantity: quantity.into(), analyte: analyte.map(Into::into), nth, ..InputSource::default() }
}

/// An item whose one reading is what was picked from a real file.
fn picked(mut item: NewItem, from: &Picked) -> NewItem {
    item.unit.clone_from(&from.unit);
    item.inputs = vec![from_file("x", "仪器读数", &from.unit, 1, *from.source.clone())];
    item
}

/// Quality drafts it, and the signatory releases it.
fn specification(services: &Services, staff: &Staff, product: &str, title: &str, items: Vec<NewItem>) -> Outcome<()> {
    let new =
        DraftSpecification { product_id: product.into(), title: title.into(), edition: "2026 演示版".into(), items };
    let id = act(services, &staff.quality, new)?.id;
    let (effective_from, password) = ("2026-01-05".into(), Some(PASSWORD.to_owned().into()));
    act(services, &staff.signatory, ReleaseSpecification { id, effective_from, password, code: None })?;
    Ok(())
}

/// Appoints the signatory of an institute for a line of business, and for one category of it where one is named.
fn appoint(
    services: &Services,
    admin: &Actor,
    signatory: &Actor,
    (business, category): (Business, Option<Category>),
) -> Outcome<()> {
    let appointment = AppointSignatory {
        id: signatory.account.clone(),
        business,
        category,
        valid_from: "2026-01-05".into(),
        valid_to: (business == Business::LotRelease).then(|| "2029-01-04".to_owned()),
        document: "演示任命文件〔2026〕1号".into(),
    };
    act(services, admin, appointment)?;
    Ok(())
}

fn registration_product(services: &Services, staff: &Staff, files: &DemoFiles) -> Result<String, DemoError> {
    let new = CreateProduct {
        code: "DEMO-NTBC".into(),
        name_zh: "尼替西农胶囊".into(),
        name_en: "Nitisinone Capsules".into(),
        category: Category::Chemical,
        device_class: None,
        traits: vec![Trait::RareDisease],
        strength: "10 mg".into(),
        dosage_form: "胶囊剂".into(),
        package_spec: "60 粒/瓶".into(),
        storage: "2～8 ℃ 密封保存".into(),
        manufacturer: "晋衡罕见病药业有限公司".into(),
        holder: "晋衡罕见病药业有限公司".into(),
        approval_number: None,
        container_name: "瓶".into(),
        container_content: "60".into(),
        content_unit: "粒".into(),
    };
    let id = act(services, &staff.quality, new)?.id.to_string();
    let mut items = vec![finding("description", ("性状", "Description"), "目视", "内容物应为白色至类白色粉末", "10")];
    match files {
        DemoFiles::Own { .. } => {
            let hplc = "高效液相色谱法（通则0512）";
            let mut related =
                numeric("related", ("有关物质（总量）", "Related substances, total"), hplc, ("≤0.50", "%"), "40");
            related.formula = Some("100 - max(x)".into());
            related.inputs = vec![from_file("x", "各峰面积百分比", "%", 0, source("area_percent", None, None))];
            let mut assay = numeric("assay", ("含量测定", "Assay"), hplc, ("95.0~105.0", "%"), "50");
            assay.inputs = vec![from_file("x", "含量", "%", 1, source("amount", Some("Nitisinone"), None))];
            items.extend([related, assay]);
        }
        DemoFiles::Real { liquid, .. } => {
            let item =
                numeric("main_peak", ("主成分（面积归一化法）", "Main peak, by area"), "色谱法", (">0", ""), "50");
            items.push(picked(item, liquid));
        }
    }
    specification(services, staff, &id, "尼替西农胶囊注册标准（演示）", items)?;
    Ok(id)
}

fn vaccine(
    services: &Services,
    staff: &Staff,
    institute: &InstituteId,
    files: &DemoFiles,
) -> Result<String, DemoError> {
    let new = CreateProduct {
        code: "DEMO-FLU".into(),
        name_zh: "流感病毒裂解疫苗".into(),
        name_en: "Influenza Vaccine (Split Virion), Inactivated".into(),
        category: Category::Vaccine,
        device_class: None,
        traits: vec![Trait::SeasonalInfluenzaVaccine],
        strength: "0.5 mL/支".into(),
        dosage_form: "注射剂".into(),
        package_spec: "1 支/盒".into(),
        storage: "2～8 ℃ 避光保存和运输".into(),
        manufacturer: "申江疫苗股份有限公司".into(),
        holder: "申江疫苗股份有限公司".into(),
        approval_number: Some("国药准字S20269901".into()),
        container_name: "支".into(),
        container_content: "0.5".into(),
        content_unit: "mL".into(),
    };
    let id = act(services, &staff.quality, new)?.id.to_string();
    act(
        services,
        &staff.quality,
        GrantAuthorisation {
            institute_id: institute.clone(),
            product_id: Some(id.as_str().into()),
            category: None,
            item_code: None,
            valid_from: "2026-01-01".into(),
            valid_to: Some("2028-12-31".into()),
            document: "演示授权文件〔2026〕1号".into(),
        },
    )?;
    let mut items = vec![
        finding("appearance", ("外观", "Appearance"), "目视", "应为微乳白色液体，无异物", "1"),
        finding("sterility", ("无菌检查", "Sterility"), "通则1101", "应无菌生长", "10"),
        numeric("endotoxin", ("细菌内毒素", "Bacterial endotoxins"), "通则1143", ("<10", "EU/mL"), "1"),
    ];
    let method = "酶联免疫法";
    match files {
        DemoFiles::Own { .. } => {
            let mut potency = numeric(
                "potency",
                ("血凝素含量（H1N1）", "Haemagglutinin content, H1N1"),
                method,
                ("≥30.0", "µg/mL"),
                "2",
            );
            let mut wanted = source("summary", None, None);
            wanted.context.insert("name".into(), "HA_content".into());
            potency.inputs = vec![from_file("x", "血凝素含量", "µg/mL", 1, wanted)];
            items.push(potency);
        }
        DemoFiles::Real { plate, .. } => {
            items.push(picked(
                numeric("potency", ("效力（酶标仪）", "Potency, plate reader"), method, (">0", ""), "2"),
                plate,
            ));
        }
    }
    specification(services, staff, &id, "《中国药典》2025年版三部及注册标准（演示）", items)?;
    Ok(id)
}

fn imported(services: &Services, staff: &Staff, files: &DemoFiles) -> Result<String, DemoError> {
    let new = CreateProduct {
        code: "DEMO-IMP".into(),
        name_zh: "盐酸演示那韦片".into(),
        name_en: "Demonavir Hydrochloride Tablets".into(),
        category: Category::Chemical,
        device_class: None,
        traits: vec![Trait::ClinicallyUrgent],
        strength: "100 mg".into(),
        dosage_form: "片剂".into(),
        package_spec: "30 片/瓶".into(),
        storage: "30 ℃ 以下保存".into(),
        manufacturer: "Demonstration Pharma AG, Basel".into(),
        holder: "Demonstration Pharma AG".into(),
        approval_number: Some("国药准字HJ20269901".into()),
        container_name: "瓶".into(),
        container_content: "30".into(),
        content_unit: "片".into(),
    };
    let id = act(services, &staff.quality, new)?.id.to_string();
    let gas = "气相色谱法（通则0861）";
    let weighing = "干燥失重（通则0831）";
    let items = match files {
        DemoFiles::Own { .. } => {
            let solvent = |code: &str, names: (&str, &str), limit: &str| {
                let mut item = numeric(code, names, gas, (limit, "ppm"), "5");
                item.inputs = vec![from_file("x", names.0, "ppm", 1, source("amount", Some(names.1), None))];
                item
            };
            let mut drying = numeric("loss_on_drying", ("干燥失重", "Loss on drying"), weighing, ("≤0.5", "%"), "10");
            drying.formula = Some("(m1 - m2) / (m1 - m0) * 100".into());
            drying.inputs = [("m0", "称量瓶", 1), ("m1", "称量瓶与供试品", 2), ("m2", "干燥至恒重后", 3)]
                .map(|(name, label, nth)| from_file(name, label, "g", 1, source("net_weight", None, Some(nth))))
                .to_vec();
            vec![
                solvent("methanol", ("甲醇", "Methanol"), "≤3000"),
                solvent("ethanol", ("乙醇", "Ethanol"), "≤5000"),
                solvent("acetone", ("丙酮", "Acetone"), "≤5000"),
                solvent("dichloromethane", ("二氯甲烷", "Dichloromethane"), "≤600"),
                drying,
            ]
        }
        DemoFiles::Real { gas: solvent, balance, .. } => vec![
            picked(
                numeric("solvent", ("残留溶剂（最大峰）", "Residual solvents, largest peak"), gas, (">0", ""), "5"),
                solvent,
            ),
            picked(numeric("weight", ("称量", "Weighing"), weighing, (">0", ""), "10"), balance),
        ],
    };
    specification(services, staff, &id, "进口药品注册标准 JX20260001（演示）", items)?;
    Ok(id)
}
