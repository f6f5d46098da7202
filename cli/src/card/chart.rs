//! A small chart for the terminal: a bar for each day.

use chrono::NaiveDate;

/// The longest bar, in characters.
const WIDTH: u64 = 40;
/// From an eighth of a character to a whole one.
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// One line for each day, its bar and its number; what is more than nothing has a bar.
pub(crate) fn bars(days: &[(NaiveDate, i64)]) -> Vec<String> {
    let most = days.iter().map(|(_, count)| eighths_of(*count)).max().unwrap_or(0);
    days.iter().map(|(day, count)| format!("{day}  {} {count}", bar(eighths_of(*count), most))).collect()
}

fn eighths_of(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn bar(count: u64, most: u64) -> String {
    if count == 0 || most == 0 {
        return String::new();
    }
    let eighths = u128::from(count) * u128::from(WIDTH * 8) / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(0).max(1);
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1).and_then(|part| PARTS.get(part)) {
        bar.push(*part);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(100, 100), "█".repeat(40));
        assert_eq!(bar(50, 100), "█".repeat(20));
        assert_eq!(bar(1, 1_000_000), "▏", "what is there can be seen");
        assert_eq!(bar(0, 100), "");
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(u64::MAX, u64::MAX).chars().count(), 40);
        // 3 of 64 are 15 eighths.
        assert_eq!(bar(3, 64), "█▉");
        let day = NaiveDate::from_ymd_opt(2026, 8, 1).unwrap();
        assert_eq!(bars(&[(day, -3)]), ["2026-08-01   -3"]);
    }
}
