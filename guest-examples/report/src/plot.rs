//! A bar chart in SVG. Whole numbers only, so that it is the same bytes everywhere.

use std::collections::BTreeMap;

use crate::money::Money;

const WIDTH: i64 = 640;
const LABEL: i64 = 120;
const BAR: i64 = 28;
const STEP: i64 = 40;
const TOP: i64 = 56;

/// Draws one horizontal bar per group; negative amounts have none.
pub fn bars(title: &str, groups: &BTreeMap<String, Money>) -> String {
    let count = i64::try_from(groups.len()).unwrap_or(i64::MAX / STEP - TOP);
    let height = TOP + STEP * count;
    let longest = groups.values().map(|money| money.0).max().unwrap_or(0).max(1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"14\">\n\
         <text x=\"8\" y=\"28\" font-size=\"18\">{}</text>\n",
        escaped(title)
    );
    for (at, (name, money)) in (0..).zip(groups) {
        let (y, room) = (TOP + STEP * at, WIDTH - LABEL - 100);
        let length = i128::from(money.0.max(0)) * i128::from(room) / i128::from(longest);
        let (text, after) = (y + BAR - 9, i128::from(LABEL) + length + 8);
        svg += &format!(
            "<text x=\"8\" y=\"{text}\">{}</text>\n\
             <rect x=\"{LABEL}\" y=\"{y}\" width=\"{length}\" height=\"{BAR}\" fill=\"#36c\"/>\n\
             <text x=\"{after}\" y=\"{text}\">{money}</text>\n",
            escaped(name)
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_names_are_escaped() {
        let groups = [("a<b".to_string(), Money(200)), ("c".to_string(), Money(100))].into();
        let svg = bars("x & y", &groups);
        assert!(svg.contains("x &amp; y") && svg.contains("a&lt;b"), "{svg}");
        assert!(svg.contains("width=\"420\" height=\"28\""), "{svg}");
        assert!(svg.contains("width=\"210\" height=\"28\""), "{svg}");
    }
}
