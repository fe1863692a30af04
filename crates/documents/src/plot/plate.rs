//! A microplate as a heat map: a colour, the value as written and a role for every well.

use super::svg::{AXIS, Anchor, Canvas, GRID, INK, SOFT, fitted, short, width_of};

/// A plate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plate {
    /// What it shows.
    pub title: String,
    /// What else a reader who does not see it should know.
    pub desc: String,
    /// Rows: 8 of a plate of 96, 16 of one of 384; raised where a well lies beyond.
    pub rows: usize,
    /// Columns: 12 of a plate of 96, 24 of one of 384; raised where a well lies beyond.
    pub columns: usize,
    /// The wells that have something to show.
    pub wells: Vec<DrawnWell>,
    /// What the colours mean, with the unit as the file has it: `吸光度 absorbance (AU)`.
    pub legend: String,
}

/// One well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrawnWell {
    /// Its name: `A1`, `h12`, `P24`.
    pub well: String,
    /// For the colour alone; `None` where the value is not a number.
    pub value: Option<f64>,
    /// The value as written.
    pub text: String,
    /// What the well holds (`standard`, `blank`, a group's name), empty where nothing is known.
    pub role: String,
}

/// The largest plate there is: 1536 wells.
const MOST: (usize, usize) = (32, 48);
/// Borders that stand out from the blue of the values.
const ROLE_COLOURS: [&str; 6] = ["#c2410c", "#0f766e", "#9d174d", "#b58900", "#5b21b6", "#1b2430"];
const LEFT: f64 = 30.0;
const TOP: f64 = 50.0;

/// Row and column of a well from 0, by a name such as `A1`, `a01` or `AF48`; `None` where it names none.
#[must_use]
pub fn well_at(name: &str) -> Option<(usize, usize)> {
    let name = name.trim();
    let split = name.find(|sign: char| sign.is_ascii_digit())?;
    let (letters, digits) = (name.get(..split)?, name.get(split..)?);
    if letters.is_empty() || letters.len() > 2 || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut row = 0usize;
    for sign in letters.bytes() {
        let letter = sign.to_ascii_uppercase();
        row = row * 26 + usize::from(letter.is_ascii_uppercase().then(|| letter - b'A' + 1)?);
    }
    let column: usize = digits.parse().ok()?;
    (row >= 1 && column >= 1 && row <= MOST.0 && column <= MOST.1).then(|| (row - 1, column - 1))
}

/// The name of a well by row and column from 0: `A1`.
#[must_use]
pub fn well_name(row: usize, column: usize) -> String {
    format!("{}{}", row_name(row), column + 1)
}

fn row_name(row: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    match row / 26 {
        0 => letter(row).to_string(),
        n => format!("{}{}", letter(n - 1), letter(row)),
    }
}

/// Rows and columns of the usual plate that holds all wells.
fn size(data: &Plate) -> (usize, usize) {
    let wells = data.wells.iter().filter_map(|well| well_at(&well.well));
    let (rows, columns) = wells
        .fold((data.rows, data.columns), |(rows, columns), (row, column)| (rows.max(row + 1), columns.max(column + 1)));
    if (data.rows, data.columns) == (rows, columns) && rows > 0 {
        return (rows.min(MOST.0), columns.clamp(1, MOST.1));
    }
    let usual = [(2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48)];
    usual.into_iter().find(|(r, c)| rows <= *r && columns <= *c).unwrap_or(MOST)
}

/// Draws a plate as SVG. Wells that several values name show the first; names that are not wells are left out.
#[must_use]
pub fn plate(data: &Plate) -> String {
    let (rows, columns) = size(data);
    let cell = match columns {
        0..=12 => (56.0, 34.0),
        13..=24 => (37.0, 24.0),
        _ => (20.0, 14.0),
    };
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(0));
    let (wide, high) = (count(columns) * cell.0, count(rows) * cell.1);
    let shown = placed(data, columns, rows * columns);
    let roles = roles(&shown);
    let width = (LEFT + wide + 20.0).max(420.0);
    let height = TOP + high + 62.0 + if roles.is_empty() { 0.0 } else { 22.0 };
    let mut canvas = Canvas::new(width, height, &data.title, &data.desc);
    canvas.text((LEFT, 20.0), &fitted(&data.title, 13.0, width - LEFT - 12.0), 13.0, INK, Anchor::Start);
    let numbers = || shown.iter().flatten().copied().filter(|well| of(well).is_some());
    let low = numbers().min_by(|a, b| order(a, b));
    let high_well = numbers().max_by(|a, b| order(a, b));
    let range = (low.and_then(of).unwrap_or(0.0), high_well.and_then(of).unwrap_or(0.0));
    for column in 0..columns {
        let x = LEFT + (count(column) + 0.5) * cell.0;
        canvas.text((x, TOP - 6.0), &(column + 1).to_string(), 10.5, SOFT, Anchor::Middle);
    }
    for row in 0..rows {
        let y = TOP + count(row) * cell.1;
        canvas.text((LEFT - 6.0, y + cell.1 / 2.0 + 4.0), &row_name(row), 10.5, SOFT, Anchor::End);
        for column in 0..columns {
            let at = (LEFT + count(column) * cell.0, y);
            match shown.get(row * columns + column).copied().flatten() {
                Some(well) => draw_well(&mut canvas, well, at, cell, range, &roles),
                None => canvas.rect((at.0 + 1.0, at.1 + 1.0, cell.0 - 2.0, cell.1 - 2.0), "#f7f9fb", None, ""),
            }
        }
    }
    let empty = shown.iter().flatten().filter(|well| of(well).is_none()).count();
    draw_legend(&mut canvas, (&data.legend, empty), TOP + high + 16.0, (low, high_well), &roles);
    canvas.finish()
}

/// The wells by their places, the first of each.
fn placed(data: &Plate, columns: usize, count: usize) -> Vec<Option<&DrawnWell>> {
    let mut shown = vec![None; count];
    for well in &data.wells {
        let place = well_at(&well.well).filter(|(_, column)| *column < columns);
        if let Some(place) = place.and_then(|(row, column)| shown.get_mut(row * columns + column)) {
            place.get_or_insert(well);
        }
    }
    shown
}

fn of(well: &DrawnWell) -> Option<f64> {
    well.value.filter(|value| value.is_finite())
}

fn order(a: &DrawnWell, b: &DrawnWell) -> std::cmp::Ordering {
    of(a).unwrap_or(f64::NAN).total_cmp(&of(b).unwrap_or(f64::NAN))
}

/// The roles of the plate in the order of the alphabet, as many as there are colours for.
fn roles<'a>(shown: &[Option<&'a DrawnWell>]) -> Vec<&'a str> {
    let named = shown.iter().flatten().map(|well| well.role.trim());
    let mut roles: Vec<&str> = named.filter(|role| !role.is_empty()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.truncate(ROLE_COLOURS.len());
    roles
}

fn role_colour(role: &str, roles: &[&str]) -> Option<&'static str> {
    let index = roles.iter().position(|known| *known == role.trim())?;
    ROLE_COLOURS.get(index).copied()
}

fn draw_well(
    canvas: &mut Canvas,
    well: &DrawnWell,
    (x, y): (f64, f64),
    cell: (f64, f64),
    range: (f64, f64),
    roles: &[&str],
) {
    let share = of(well).map(|value| {
        let span = range.1 - range.0;
        if span > 0.0 && span.is_finite() { ((value - range.0) / span).clamp(0.0, 1.0) } else { 0.5 }
    });
    let fill = share.map_or_else(|| GRID.to_owned(), shade);
    let told = [well.well.trim(), well.text.trim(), well.role.trim()];
    let told = told.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let frame = (x + 1.5, y + 1.5, cell.0 - 3.0, cell.1 - 3.0);
    canvas.rect(frame, &fill, role_colour(&well.role, roles), &told);
    // Smaller before shorter: a value that is cut looks like another.
    let fits = [11.0, 10.0, 9.0, 8.0, 7.0, 6.0].into_iter().find(|size| width_of(&well.text, *size) <= cell.0 - 5.0);
    let ink = if share.is_some_and(|share| share > 0.55) { "#fff" } else { INK };
    let size = fits.unwrap_or(6.0);
    let text = fitted(&well.text, size, cell.0 - 4.0);
    canvas.text((x + cell.0 / 2.0, y + cell.1 / 2.0 + size * 0.36), &text, size, ink, Anchor::Middle);
}

/// From pale to deep blue: one hue, so that nobody reads an order into colours that have none.
fn shade(share: f64) -> String {
    let mix = |from: f64, to: f64| short((from + (to - from) * share).round());
    format!("rgb({},{},{})", mix(240.0, 8.0), mix(246.0, 60.0), mix(252.0, 125.0))
}

fn draw_legend(
    canvas: &mut Canvas,
    (legend, empty): (&str, usize),
    y: f64,
    ends: (Option<&DrawnWell>, Option<&DrawnWell>),
    roles: &[&str],
) {
    let mut at = LEFT;
    if let (Some(low), Some(high)) = ends {
        let (low, high) = (fitted(&low.text, 11.0, 90.0), fitted(&high.text, 11.0, 90.0));
        canvas.text((at, y + 11.0), &low, 11.0, INK, Anchor::Start);
        at += width_of(&low, 11.0) + 8.0;
        for step in 0..24u32 {
            let colour = shade(f64::from(step) / 23.0);
            canvas.rect((at + f64::from(step) * 6.0, y, 6.3, 14.0), &colour, None, "");
        }
        at += 24.0 * 6.0 + 8.0;
        canvas.text((at, y + 11.0), &high, 11.0, INK, Anchor::Start);
        at += width_of(&high, 11.0) + 16.0;
    }
    canvas.text((at, y + 11.0), legend, 11.0, INK, Anchor::Start);
    let mut x = LEFT;
    for role in roles {
        canvas.rect((x + 1.0, y + 24.0, 12.0, 10.0), "#fff", role_colour(role, roles), "");
        let name = fitted(role, 11.0, 120.0);
        canvas.text((x + 19.0, y + 33.0), &name, 11.0, INK, Anchor::Start);
        x += 34.0 + width_of(&name, 11.0);
    }
    if empty > 0 {
        canvas.rect((x + 1.0, y + 24.0, 12.0, 10.0), GRID, Some(AXIS), "");
        canvas.text((x + 19.0, y + 33.0), &format!("非数值 no number ({empty})"), 11.0, INK, Anchor::Start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(name: &str, text: &str, role: &str) -> DrawnWell {
        DrawnWell { well: name.into(), value: super::super::coordinate(text), text: text.into(), role: role.into() }
    }

    #[test]
    fn wells_are_found_by_their_names() {
        assert_eq!(well_at("A1"), Some((0, 0)));
        assert_eq!(well_at(" h012"), Some((7, 11)));
        assert_eq!(well_at("P24"), Some((15, 23)));
        assert_eq!(well_at("AF48"), Some((31, 47)));
        for none in ["", "A", "12", "A0", "A1B", "-A1", "ZZ1", "A999", "Ä1", "1A"] {
            assert_eq!(well_at(none), None, "{none}");
        }
        assert_eq!((well_name(0, 0), well_name(31, 47)), ("A1".into(), "AF48".into()));
    }

    #[test]
    fn a_plate_shows_every_value_as_written() {
        let mut wells = vec![well("A1", "0.0120", "blank"), well("B2", "<0.05", "sample"), well("h12", "2.5", "")];
        wells.push(well("A1", "9.99", "twice"));
        wells.push(well("no well", "1", ""));
        let svg = plate(&Plate {
            title: "Plate1".into(),
            legend: "吸光度 absorbance".into(),
            rows: 8,
            columns: 12,
            wells,
            ..Plate::default()
        });
        assert!(svg.contains(">0.0120<") && svg.contains("&lt;0.05") && svg.contains("A1 · 0.0120 · blank"));
        assert!(!svg.contains(">9.99<"), "the first value of a well stands");
        assert!(svg.contains(">H<") && svg.contains(">12<") && svg.contains("no number (1)"));
        assert!(svg.contains("吸光度 absorbance"));
    }

    #[test]
    fn the_plate_grows_to_the_next_usual_size() {
        let one = |name: &str| Plate { wells: vec![well(name, "1", "")], ..Plate::default() };
        assert_eq!(size(&one("H12")), (8, 12));
        assert_eq!(size(&one("I1")), (16, 24));
        assert_eq!(size(&one("A25")), (32, 48));
        assert_eq!(size(&Plate { rows: 16, columns: 24, ..Plate::default() }), (16, 24));
        let svg = plate(&Plate { rows: 16, columns: 24, wells: vec![well("P24", "-1.5e3", "")], ..Plate::default() });
        assert!(svg.contains(">P<") && svg.contains(">24<") && svg.contains(">-1.5e3<"));
        assert!(plate(&Plate::default()).ends_with("</svg>"));
        assert!(plate(&Plate { rows: usize::MAX, columns: usize::MAX, ..Plate::default() }).len() < 400_000);
    }
}
