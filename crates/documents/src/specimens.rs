//! One specimen of every kind of document, for the tests of this module.

use super::data::*;
use super::raw_record::{CalculationStep, CitedFile, RawTest, RecordedReading};

fn bi(zh: &str, en: &str) -> Bilingual {
    Bilingual::new(zh, en)
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// A specimen with everything that its kind can show.
pub fn specimen(kind: CertificateKind) -> CertificateData {
    let mut data = common(kind);
    match kind {
        CertificateKind::TestReport => test_report(&mut data),
        CertificateKind::LotRelease => lot_release(&mut data),
        CertificateKind::LotReleaseRefusal => lot_release_refusal(&mut data),
        CertificateKind::ImportReport => import_report(&mut data),
        CertificateKind::RawRecord => raw_record(&mut data),
    }
    data
}

fn common(kind: CertificateKind) -> CertificateData {
    CertificateData {
        kind,
        number: text("YJ20260123").into(),
        institution: Institution {
            name: bi("示范省药品检验研究院", "Demonstration Provincial Institute for Drug Control"),
            abbreviation: text("示检").into(),
            address: bi("示范市科学大道 88 号　030000", "88 Kexue Avenue, Demonstration City 030000"),
            location: Bilingual::default(),
            telephone: text("0351-0000000").into(),
            marks: vec![text("CMA 260000000000").into(), text("CNAS L00000").into()],
        },
        customer: Party {
            name: bi("示范罕见病药业有限公司", "Demonstration Orphan Drugs Co., Ltd."),
            address: text("示范市创新路 1 号").into(),
        },
        testing: TestingFacts {
            purpose: text("注册检验").into(),
            scope: text("全检").into(),
            basis: vec![
                Basis {
                    title: text("《中华人民共和国药典》").into(), edition: text("2025 年版二部").into()
                },
                Basis { title: text("药品注册标准 YBH00002026").into(), edition: text("草案第 3 版").into() },
            ],
            started_on: text("2026-03-09").into(),
            finished_on: text("2026-03-27").into(),
            environment: text("温度 18～26 ℃，相对湿度 35%～65%").into(),
            deviations: text("无").into(),
            decision_rule: bi(
                "检验结果按 GB/T 8170 修约至标准规定的位数后，与限度比较；不考虑测量不确定度（简单接受）。",
                "Results are rounded to the places of the limit (GB/T 8170) and then compared; measurement uncertainty is not taken into account (simple acceptance).",
            ),
        },
        statements: CertificateData::standard_statements(kind),
        decision: Some(DecisionFacts {
            quantity: text("全检量的 2 倍").into(),
            lane: text("绿色通道").into(),
            clocks: vec![ClockFact {
                name: bi("检验时限", "testing"),
                limit: text("60 个工作日").into(),
                starts: text("2026-03-05").into(),
                due: text("2026-06-02").into(),
                met_on: text("2026-03-30").into(),
            }],
            provisions: vec![ProvisionFact {
                id: text("specimen-1").into(),
                document: text("药品注册检验工作程序（示例）").into(),
                clause: text("第十二条").into(),
                effect: text("检验用量为全检量的 2 倍").into(),
            }],
        }),
        signatory: Signatory {
            name: text("张㛃").into(),
            position: bi("授权签字人", "Authorised signatory"),
            meaning: bi("批准并签发", "Approved for issue"),
        },
        issued_on: text("2026-03-30").into(),
        verification: Verification {
            url: text("https://lims.example.org/verify/YJ20260123?c=7KQ2-M9XD").into(),
            code: text("7KQ2-M9XD").into(),
        },
        ..CertificateData::default()
    }
}

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn rows(section: Bilingual, list: &[Row]) -> Vec<PrintedResult> {
    list.iter()
        .map(|(zh, en, method, standard, result)| PrintedResult {
            section: section.clone(),
            item: bi(zh, en),
            method: text(method).into(),
            standard: text(standard).into(),
            result: text(result).into(),
            verdict: PrintedVerdict::Pass,
            ..PrintedResult::default()
        })
        .collect()
}

fn test_report(data: &mut CertificateData) {
    data.sample = SampleFacts {
        number: text("2026-YZ-00123").into(),
        name: bi("盐酸示范替尼片", "Demotinib Hydrochloride Tablets"),
        trade_name: String::new().into(),
        lot: text("20260201").into(),
        strength: text("50 mg（按 C₂₂H₂₃N₃O₄ 计）").into(),
        dosage_form: text("片剂").into(),
        packaging: text("铝塑泡罩，每板 7 片，每盒 4 板").into(),
        quantity: text("40 盒（1 120 片）").into(),
        manufacturer: bi("示范罕见病药业有限公司", "Demonstration Orphan Drugs Co., Ltd."),
        marketing_authorisation_holder: bi("示范罕见病药业有限公司", "Demonstration Orphan Drugs Co., Ltd."),
        acceptance_number: text("CXHS2600001").into(),
        condition: text("封签完好，运输温度 4.2～7.8 ℃，包装无破损").into(),
        storage: text("遮光，密封，不超过 25 ℃ 保存").into(),
        received_on: text("2026-03-05").into(),
        expiry: text("2028-01-31").into(),
        ..SampleFacts::default()
    };
    data.results = rows(
        bi("性状", "Description"),
        &[("外观", "Appearance", "目视", "本品为薄膜衣片，除去包衣后显白色或类白色", "薄膜衣片，除去包衣后显类白色")],
    );
    data.results.extend(rows(
        bi("鉴别", "Identification"),
        &[
            (
                "鉴别（1）液相色谱",
                "HPLC",
                "通则 0512",
                "供试品溶液主峰的保留时间应与对照品溶液主峰的保留时间一致",
                "一致",
            ),
            ("鉴别（2）红外光谱", "IR", "通则 0402", "红外光吸收图谱应与对照的图谱一致", "一致"),
            ("鉴别（3）氯化物", "Chloride", "通则 0301", "应显氯化物鉴别（1）的反应", "呈正反应"),
        ],
    ));
    data.results.extend(rows(
        bi("检查", "Tests"),
        &[
            ("杂质 A", "Impurity A", "通则 0512", "≤0.15%", "0.04%"),
            ("杂质 B", "Impurity B", "通则 0512", "≤0.15%", "未检出（检测限 0.01%）"),
            ("杂质 C", "Impurity C", "通则 0512", "≤0.20%", "0.08%"),
            ("其他单个杂质", "Any other impurity", "通则 0512", "≤0.10%", "0.03%"),
            ("总杂质", "Total impurities", "通则 0512", "≤0.5%", "0.2%"),
            ("基因毒性杂质 NDMA", "NDMA", "通则 0431", "≤0.03 ppm", "<0.01 ppm"),
            ("残留溶剂 乙醇", "Ethanol", "通则 0861", "≤0.5%", "0.02%"),
            ("残留溶剂 乙酸乙酯", "Ethyl acetate", "通则 0861", "≤0.5%", "<0.01%"),
            ("干燥失重", "Loss on drying", "通则 0831", "≤3.0%", "1.4%"),
            ("炽灼残渣", "Residue on ignition", "通则 0841", "≤0.1%", "0.05%"),
            ("重金属", "Heavy metals", "通则 0821", "≤10 mg/kg", "<10 mg/kg"),
            ("含量均匀度", "Content uniformity", "通则 0941", "A+2.2S≤15.0", "5.8"),
            ("溶出度", "Dissolution", "通则 0931 第二法", "Q＝80%（30 分钟）", "92%～97%（n＝6）"),
            ("需氧菌总数", "Total aerobic count", "通则 1105", "≤10³ cfu/g", "<10 cfu/g"),
            ("霉菌和酵母菌总数", "Moulds and yeasts", "通则 1105", "≤10² cfu/g", "<10 cfu/g"),
            ("大肠埃希菌", "Escherichia coli", "通则 1106", "不得检出（1 g）", "未检出"),
            ("粒度分布 D₉₀", "Particle size D90", "通则 0982", "≤50 μm", "31 μm"),
        ],
    ));
    data.results.extend(rows(
        bi("含量测定", "Assay"),
        &[("含量测定", "Assay", "通则 0512", "按 C₂₂H₂₃N₃O₄·HCl 计算，应为标示量的 95.0%～105.0%", "99.6%")],
    ));
    data.results[9].out_of_scope = true;
    data.results[20].external_provider = text("示范市理化分析中心（CNAS L00001）").into();
    data.results[21].uncertainty = text("U＝0.8%（k＝2）").into();
    data.conclusion = Conclusion {
        verdict: PrintedVerdict::Pass,
        text: bi(
            "本品按药品注册标准 YBH00002026（草案第 3 版）检验，结果符合规定。",
            "Tested according to the registration specification YBH00002026 (draft 3); the results comply.",
        ),
        review_opinion: bi(
            "经复核，所拟质量标准的方法可行，限度设定合理。",
            "On verification, the methods proposed are practicable and the limits are reasonable.",
        ),
    };
    data.remarks = vec![text("送检人王䶮；样品由申请人送至本院业务受理大厅。").into()];
}

fn vaccine(data: &mut CertificateData) {
    data.number = text("批签沪检20260045").into();
    data.institution.name =
        bi("示范市食品药品检验研究院", "Demonstration Municipal Institute for Food and Drug Control");
    data.customer.name = bi("示范生物制品股份有限公司", "Demonstration Biologics Co., Ltd.");
    data.sample = SampleFacts {
        number: text("SH2026-B-00045").into(),
        name: bi("四价流感病毒裂解疫苗", "Influenza Vaccine (Split Virion), Inactivated, Quadrivalent"),
        lot: text("202606022（1～2）").into(),
        strength: text("每瓶 0.5 ml，含各型流感病毒株血凝素 15 μg").into(),
        dosage_form: text("注射剂").into(),
        manufacturer: bi(
            "示范生物制品股份有限公司",
            "Demonstration Biologics Co., Ltd., 12 Yimiao Road, Demonstration City",
        ),
        marketing_authorisation_holder: bi("示范生物制品股份有限公司", "Demonstration Biologics Co., Ltd."),
        approval_number: text("国药准字S20260001").into(),
        manufactured_on: text("2026-06-02").into(),
        expiry: text("2027年6月1日").into(),
        storage: text("2～8 ℃ 避光保存，严禁冻结").into(),
        ..SampleFacts::default()
    };
    data.release = Some(ReleaseFacts {
        report_number: text("SJ20260045").into(),
        quantity: text("186 420 支").into(),
        container: text("预灌封注射器").into(),
        doses_per_container: text("1 剂").into(),
        containers: text("186 420").into(),
        dossier_review: bi(
            "批制造及检验记录摘要审查符合要求。",
            "The summary protocol of manufacture and control meets the requirements.",
        ),
        basis: bi(
            "《生物制品批签发管理办法》、《中华人民共和国药典》2025 年版三部及批准的注册标准",
            "Measures for Lot Release of Biological Products; Chinese Pharmacopoeia 2025, Volume III; approved specification",
        ),
        ..ReleaseFacts::default()
    });
    data.results = rows(
        bi("", ""),
        &[
            ("血凝素含量 H1N1", "Haemagglutinin, H1N1", "单向免疫扩散法", "≥12 μg/剂", "15.8 μg/剂"),
            ("血凝素含量 H3N2", "Haemagglutinin, H3N2", "单向免疫扩散法", "≥12 μg/剂", "16.1 μg/剂"),
            ("细菌内毒素", "Bacterial endotoxin", "通则 1143", "<20 EU/剂", "<5 EU/剂"),
        ],
    );
    data.verification.url = text("https://lims.example.org/verify/20260045?c=P4WT-8HNC").into();
    data.verification.code = text("P4WT-8HNC").into();
}

fn lot_release(data: &mut CertificateData) {
    vaccine(data);
    data.conclusion = Conclusion {
        verdict: PrintedVerdict::Pass,
        text: bi(
            "本批产品经资料审查和检验，符合规定，准予批签发。",
            "On review of the summary protocol and on testing, this lot complies with the requirements and is approved for release.",
        ),
        ..Conclusion::default()
    };
    data.amendment = Some(Amendment {
        replaces_number: text("批签沪检20260044").into(),
        replaces_date: text("2026-03-27").into(),
        reason: bi("原证明规格书写有误", "the strength was misprinted"),
        changes: vec![text("规格：“每瓶 0.25 ml” 更正为 “每瓶 0.5 ml”").into()],
    });
}

fn lot_release_refusal(data: &mut CertificateData) {
    vaccine(data);
    data.results[2].result = text("26 EU/剂").into();
    data.results[2].verdict = PrintedVerdict::Fail;
    data.conclusion = Conclusion {
        verdict: PrintedVerdict::Fail,
        text: bi(
            "本批产品不符合规定，不予批签发。",
            "This lot does not comply with the requirements; its release is refused.",
        ),
        ..Conclusion::default()
    };
    data.refusal = Some(LotRefusal {
        reasons: vec![
            bi(
                "细菌内毒素检验结果 26 EU/剂，不符合 “<20 EU/剂” 的规定；经复试确认。",
                "Bacterial endotoxin: 26 EU/dose, not within “<20 EU/dose”; confirmed on re-testing.",
            ),
            bi(
                "批制造及检验记录摘要第 14 页与检验原始数据不一致，逾期未补正。",
                "Page 14 of the summary protocol disagrees with the raw data; no correction was received in time.",
            ),
        ],
        re_examination: bi(
            "申请人对本决定有异议的，可自收到本通知书之日起 7 日内，向本机构或中国食品药品检定研究院申请复审。",
            "The applicant may request re-examination within 7 days of receiving this notice.",
        ),
    });
}

fn import_report(data: &mut CertificateData) {
    data.number = text("KJ20260078").into();
    data.sample = SampleFacts {
        number: text("2026-JK-00078").into(),
        name: bi("注射用示范单抗", "Demomab for Injection"),
        trade_name: text("Demora®").into(),
        lot: text("DX7781A").into(),
        strength: text("100 mg/瓶").into(),
        dosage_form: text("注射用冻干制剂").into(),
        packaging: text("每盒 1 瓶").into(),
        quantity: text("60 瓶").into(),
        manufacturer: bi("示范制药（瑞士）", "Demo Pharma AG, Basel"),
        origin: text("瑞士").into(),
        condition: text("冷链运输，到达温度 3.9 ℃，封签完好").into(),
        received_on: text("2026-03-06").into(),
        expiry: text("2028-05-31").into(),
        ..SampleFacts::default()
    };
    data.import = Some(ImportFacts {
        registration_number: text("国药准字SJ20260011").into(),
        notice_number: text("沪药检通 2026-0078").into(),
        customs_number: text("SH-2026-000412").into(),
        declarant: text("示范国际医药贸易有限公司").into(),
        contract_number: text("DP-26-0310").into(),
        quantity: text("4 800 瓶").into(),
        port: text("上海浦东国际机场口岸").into(),
        arrived_on: text("2026-03-03").into(),
        manufacturer_report: text("COA-DX7781A-02").into(),
    });
    data.sampling = Some(SamplingFacts {
        date: text("2026-03-05").into(),
        place: text("浦东机场海关监管冷库 3 号库").into(),
        sampler: text("王䶮、李示范").into(),
        plan: text("按《药品抽样原则及程序》随机抽取 3 件，每件 20 瓶").into(),
        packages: text("3 件").into(),
        quantity: text("60 瓶").into(),
        conditions: text("2～8 ℃").into(),
    });
    data.results = rows(
        bi("检查", "Tests"),
        &[
            ("干燥失重", "Loss on drying", "通则 0831", "≤3.0%", "1.2%"),
            ("残留溶剂 甲醇", "Methanol", "通则 0861", "≤0.3%", "0.01%"),
            ("残留溶剂 二氯甲烷", "Dichloromethane", "通则 0861", "≤0.06%", "0.08%"),
        ],
    );
    data.results[2].verdict = PrintedVerdict::Fail;
    data.conclusion = Conclusion {
        verdict: PrintedVerdict::Fail,
        text: bi(
            "本品按进口药品注册标准 JS20260011 检验，结果不符合规定。",
            "Tested according to the import specification JS20260011; the results do not comply.",
        ),
        ..Conclusion::default()
    };
}

fn raw_record(data: &mut CertificateData) {
    test_report(data);
    data.results.clear();
    data.number = text("2026-YZ-00123-R1").into();
    let reading = |label: &str, raw: &str, value: &str, locator: &str| RecordedReading {
        label: text(label).into(),
        raw: text(raw).into(),
        value: text(value).into(),
        unit: text("mAU·s").into(),
        file: text("report01.txt").into(),
        locator: text(locator).into(),
        href: text("https://lims.example/instrument-files/1?observation=2#marked").into(),
        note: String::new().into(),
    };
    data.raw = vec![RawTest {
        item: bi("含量测定", "Assay"),
        method: text("通则 0512 高效液相色谱法").into(),
        standard: text("95.0%～105.0%").into(),
        equipment: vec![
            text("液相色谱仪 LC-07，校准有效期至 2026-11-30").into(),
            text("电子天平 BA-03，校准有效期至 2026-09-15").into(),
        ],
        reagents: vec![
            text("示范替尼对照品，批号 100000-202501，含量 99.8%").into(),
            text("乙腈，色谱纯，批号 I1234567").into(),
        ],
        conditions: text("C18 柱，4.6 mm × 150 mm，5 μm；流速 1.0 ml/min；260 nm；30 ℃").into(),
        files: vec![CitedFile {
            name: text("report01.txt").into(),
            sha256: text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").into(),
            adapter: text("agilent-chemstation-report 1").into(),
            instrument: text("1260 Infinity").into(),
            imported: text("2026-03-18 09:41 李示范").into(),
        }],
        readings: vec![
            reading("对照 1 峰面积", "4.57137e4", "45713.7", "第 41 行"),
            reading("对照 2 峰面积", "4.57011e4", "45701.1", "第 42 行"),
            reading("供试品 1 峰面积", "4,551.88e1", "45518.8", "第 57 行"),
        ],
        steps: vec![CalculationStep {
            label: text("含量").into(),
            formula: text("A样 × m对 × P ÷（A对 × m样）× 100%").into(),
            substituted: text("45518.8 × 25.11 × 0.998 ÷（45707.4 × 25.05）× 100%").into(),
            result: text("99.6270…%").into(),
        }],
        unrounded: text("99.6270%").into(),
        result: text("99.6").into(),
        unit: text("%").into(),
        verdict: PrintedVerdict::Pass,
        attempt: text("初检").into(),
        analyst: text("李示范").into(),
        analysed_at: text("2026-03-18 10:02").into(),
        reviewer: text("王䶮").into(),
        reviewed_at: text("2026-03-18 15:30").into(),
        remarks: vec![text("无更正").into()],
    }];
    data.decision = None;
}
