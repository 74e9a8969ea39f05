//! How wide text is, as far as that can be known without the font: measured generously, so that labels
//! keep clear of each other in any sans-serif.

/// Size of the text in charts, in pixels.
pub(super) const SIZE: f64 = 13.0;

/// Width of a text at [`SIZE`], in pixels.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(em).sum::<f64>() * SIZE
}

/// Breaks a text into lines of at most `limit` pixels at `size`. A word longer than that has a line of
/// its own.
pub(super) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}")) * size / SIZE <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text, or as much of it as fits `limit` pixels with an ellipsis.
pub(super) fn fit(text: &str, limit: f64) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept) + (em(letter) + em('…')) * SIZE > limit {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

/// Advance of a character as a part of the font size.
fn em(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '|' | '\'' => 0.28,
        'f' | 'r' | 't' | 'I' | ' ' | '\u{a0}' | '.' | ',' | ':' | ';' | '!' | '(' | ')' | '-' => {
            0.37
        }
        'm' | 'w' | 'M' | 'W' | '%' | '…' => 0.95,
        'A'..='Z' => 0.69,
        _ => 0.6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_the_words_and_the_limit() {
        let text = "LightGBM ranks best on 5 of 7 month starts";
        let lines = wrap(text, SIZE, 120.0);
        assert_eq!(lines.join(" "), text);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line) <= 120.0));
        assert_eq!(wrap("", SIZE, 100.0), Vec::<String>::new());
        assert_eq!(wrap("unbreakable", SIZE, 5.0), ["unbreakable"]);
    }

    #[test]
    fn fitting_shortens_only_what_is_too_long() {
        assert_eq!(fit("short", 100.0), "short");
        let cut = fit("a very long name that cannot fit", 100.0);
        assert!(cut.ends_with('…') && width(&cut) <= 100.0);
        assert_eq!(fit("anything", 0.0), "…");
    }
}
