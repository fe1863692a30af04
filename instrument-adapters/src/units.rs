//! Units as instruments write them, and their UCUM codes (The Unified Code for Units of Measure, 2.1).

/// UCUM code of a unit as written, or `None` where the table knows none.
///
/// Products are put together from their factors, so `pA*s` gives `pA.s`. A unit without a UCUM
/// code, such as the absorbance unit, stays as the file writes it.
pub(crate) fn ucum(written: &str) -> Option<String> {
    let text = written.trim();
    if let Some(code) = single(text) {
        return Some(code.to_owned());
    }
    let mut parts = Vec::new();
    for part in text.split(['*', '·', '.', ' ']).filter(|p| !p.is_empty()) {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            parts.push(part.to_owned());
        } else {
            parts.push(single(part)?.to_owned());
        }
    }
    (parts.len() > 1).then(|| parts.join("."))
}

fn single(text: &str) -> Option<&'static str> {
    // Both micro signs occur, sometimes in one file.
    let text = text.replace(['\u{b5}', '\u{3bc}'], "u");
    Some(match text.as_str() {
        "min" => "min",
        "s" | "sec" => "s",
        "h" => "h",
        "nm" => "nm",
        "mm" => "mm",
        "%" => "%",
        "kg" => "kg",
        "g" => "g",
        "mg" => "mg",
        "ug" => "ug",
        "ct" => "[car_m]",
        "ppm" => "[ppm]",
        "ppb" => "[ppb]",
        "l" => "l",
        "L" => "L",
        "ml" => "ml",
        "mL" => "mL",
        "ul" => "ul",
        "uL" => "uL",
        "mg/ml" => "mg/ml",
        "mg/mL" => "mg/mL",
        "ug/ml" => "ug/ml",
        "ug/mL" => "ug/mL",
        "ug/ul" => "ug/ul",
        "ug/uL" => "ug/uL",
        "ng/ml" => "ng/ml",
        "ng/mL" => "ng/mL",
        "ng/ul" => "ng/ul",
        "ng/uL" => "ng/uL",
        "pg/ml" => "pg/ml",
        "pg/mL" => "pg/mL",
        "pmol/ul" => "pmol/ul",
        "pmol/uL" => "pmol/uL",
        "uM" => "umol/L",
        "mM" => "mmol/L",
        "nM" => "nmol/L",
        "g/l" => "g/l",
        "g/L" => "g/L",
        "mg/l" => "mg/l",
        "mg/L" => "mg/L",
        "mg/g" => "mg/g",
        "g/mol" => "g/mol",
        "kDa" => "kDa",
        "L/(mol*cm)" | "L/(mol.cm)" => "L/(mol.cm)",
        "IU/ml" => "[iU]/ml",
        "IU/mL" => "[iU]/mL",
        "EU/ml" | "EU/mL" => "[EU]/mL",
        "mmol/l" => "mmol/l",
        "mmol/L" => "mmol/L",
        "mOsm/kg" => "mosm/kg",
        "pH" => "[pH]",
        "uS/cm" => "uS/cm",
        "mS/cm" => "mS/cm",
        "pA" => "pA",
        "nA" => "nA",
        "V" => "V",
        "mV" => "mV",
        "uV" => "uV",
        "Hz" => "Hz",
        "°C" | "C" => "Cel",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::ucum;

    #[test]
    fn products_and_micro_signs() {
        assert_eq!(ucum("pA*s").as_deref(), Some("pA.s"));
        assert_eq!(ucum("25 uV*s").as_deref(), Some("25.uV.s"));
        assert_eq!(ucum("\u{b5}V·s").as_deref(), Some("uV.s"));
        assert_eq!(ucum("ng/\u{3bc}L").as_deref(), Some("ng/uL"));
        assert_eq!(ucum("mAU*s"), None);
    }
}
