//! An installation on a fresh database with what an intake refers to, made by the program's own workflows.

use std::path::{Path, PathBuf};

use qianfa::accounts::{CreateAccount, FirstAdministrator, bootstrap};
use qianfa::action::{Services, act};
use qianfa::app::config::Config;
use qianfa::app::serve::open_services;
use qianfa::catalogue::{
    CreateApplicant, CreateInstitute, CreateProduct, DraftSpecification, NewItem, ReleaseSpecification,
};
use qianfa::clock::Clock;
use qianfa::record::Actor;
use qianfa::regulation::{Category, Trait};
use qianfa::store::Outcome;
use qianfa::vocabulary::{Comparison, ItemKind, PasswordOrigin, Role};
use serde_json::{Value, json};

/// The password of every account here.
pub const PASSWORD: &str = "measured-in-one-run";

/// A data folder with its configuration file.
pub struct Installation {
    pub folder: PathBuf,
    pub config: PathBuf,
}

/// What intakes refer to.
pub struct Laboratory {
    pub receiver: Actor,
    applicant: String,
    product: String,
}

impl Installation {
    /// A fresh folder for a server on `database`; everything but the folder, the port and the life of a session is
    /// as by default.
    pub fn create(folder: PathBuf, database: &str) -> Result<Self, String> {
        let told = |error: std::io::Error| error.to_string();
        std::fs::create_dir_all(&folder).map_err(told)?;
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata = {:?}\n[database]\nurl = {database:?}\n[session]\naccess_minutes = 60\n",
            folder.join("data")
        );
        let config = folder.join("qianfa.toml");
        std::fs::write(&config, text).map_err(told)?;
        Ok(Self { folder, config })
    }

    /// Opens it in this process.
    pub fn open(&self) -> Result<Services, String> {
        let config = Config::load(Some(&self.config), []).map_err(|error| error.to_string())?;
        open_services(&config, Clock::system()).map_err(|error| error.to_string())
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

/// The URL of an embedded database in `folder`.
pub fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("qianfa.db").display())
}

impl Laboratory {
    /// Sets it up.
    pub fn create(services: &Services) -> Result<Self, String> {
        set_up(services).map_err(|failure| failure.to_string())
    }

    /// The desk's form for one lot: one batch, four containers of which two make a full test.
    pub fn intake(&self, nth: usize) -> Value {
        let lot = format!("26{nth:06}");
        json!({
            "application": {
                "business": "drug_registration",
                "applicant_id": self.applicant,
                "product_id": self.product,
                "acceptance_number": format!("CXHS26{nth:06}"),
                "particulars": {"test_purpose": "注册检验"},
                "batches": [{"lot_number": lot, "produced_on": "2026-01-12", "expires_on": "2099-01-11"}],
            },
            "receipt": {"samples": [{"lot_number": lot, "containers": 4, "temperature": "5.1", "packages": 1}]},
        })
    }
}

fn set_up(services: &Services) -> Outcome<Laboratory> {
    bootstrap(
        services,
        CreateInstitute {
            code: "SXBENCH".into(),
            name_zh: "山西省药品检验测速研究院".into(),
            name_en: "Shanxi Institute for Measured Drug Control".into(),
            abbreviation: "晋".into(),
            jurisdiction: "CN-SX".into(),
            address_zh: "山西省太原市".into(),
            address_en: "Taiyuan, Shanxi".into(),
            sample_prefix: "SX".into(),
        },
        FirstAdministrator {
            username: "admin".into(),
            display_name: "系统管理员".into(),
            password: PASSWORD.to_owned().into(),
            origin: PasswordOrigin::Demonstration,
        },
    )?;
    let admin = services.identity.login("admin", PASSWORD, None)?.actor;
    let mut receiver = None;
    for (username, name, role) in [("receiver", "王敏", Role::Receiver), ("analyst", "李哲", Role::Analyst)] {
        let account = CreateAccount {
            username: username.into(),
            display_name: name.into(),
            password: PASSWORD.to_owned().into(),
            institute: admin.institute.clone(),
            applicant: None,
            roles: vec![role],
        };
        act(services, &admin, account)?;
        let actor = services.identity.login(username, PASSWORD, None)?.actor;
        receiver.get_or_insert(actor);
    }
    let applicant = CreateApplicant {
        name: "晋衡罕见病药业有限公司".into(),
        address: "山西省太原市示范街 8 号".into(),
        contact: String::new(),
    };
    let applicant = act(services, &admin, applicant)?.id.to_string();
    let product = act(services, &admin, product())?.id.to_string();
    // A specification is drafted by one person and released by another, neither of whom is the administrator.
    let drafter = quality(services, &admin, "drafter", "周岚")?;
    let releaser = quality(services, &admin, "releaser", "陈宁")?;
    let specification = DraftSpecification {
        product_id: product.as_str().into(),
        title: "尼替西农胶囊注册标准".into(),
        edition: "2026".into(),
        items: items(),
    };
    let id = act(services, &drafter, specification)?.id;
    let (effective_from, password) = ("2026-01-05".into(), Some(PASSWORD.to_owned().into()));
    act(services, &releaser, ReleaseSpecification { id, effective_from, password, code: None })?;
    Ok(Laboratory { receiver: receiver.unwrap_or(admin), applicant, product })
}

fn quality(services: &Services, admin: &Actor, username: &str, name: &str) -> Outcome<Actor> {
    let account = CreateAccount {
        username: username.into(),
        display_name: name.into(),
        password: PASSWORD.to_owned().into(),
        institute: admin.institute.clone(),
        applicant: None,
        roles: vec![Role::Quality],
    };
    act(services, admin, account)?;
    Ok(services.identity.login(username, PASSWORD, None)?.actor)
}

fn product() -> CreateProduct {
    CreateProduct {
        code: "NTBC".into(),
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
    }
}

/// Six items that together consume two containers.
fn items() -> Vec<NewItem> {
    let hplc = "高效液相色谱法（通则0512）";
    let numbers = [
        ("assay", "含量测定", "Assay", hplc, "95.0~105.0", "%", "30"),
        ("related", "有关物质", "Related substances", hplc, "≤0.50", "%", "20"),
        ("dissolution", "溶出度", "Dissolution", "通则0931第二法", "≥80", "%", "6"),
        ("uniformity", "含量均匀度", "Uniformity of content", "通则0941", "≤15.0", "", "10"),
        ("water", "水分", "Water", "通则0832第一法", "≤5.0", "%", "20"),
        ("residue", "炽灼残渣", "Residue on ignition", "通则0841", "≤0.1", "%", "20"),
    ];
    let item = |(code, zh, en, method, limit, unit, consumes): (&str, &str, &str, &str, &str, &str, &str)| NewItem {
        code: code.into(),
        name_zh: zh.into(),
        name_en: en.into(),
        method: method.into(),
        kind: ItemKind::Numeric,
        unit: unit.into(),
        limit: limit.into(),
        compare_by: Comparison::Rounded,
        rounding_step: None,
        formula: None,
        inputs: Vec::new(),
        replicates: 1,
        consumes: consumes.into(),
        in_scope: true,
        annex: Vec::new(),
        plausible: None,
        retest_allowed: None,
        consumes_unit: None,
        whole_containers: None,
    };
    numbers.map(item).into()
}
