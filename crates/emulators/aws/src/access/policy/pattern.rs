//! Text with `*`, `?` and policy variables.

use super::Context;

/// One part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
}

/// A pattern as it stands in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// `*` alone.
    Everything,
    Fixed(Vec<Piece>),
    /// With variables, which are filled in for each request.
    Variable(String),
}

impl Pattern {
    /// A pattern in which `*` and `?` are wild, and `${...}` too where `variables` are allowed: in documents of
    /// version 2012-10-17.
    pub(super) fn wild(text: &str, variables: bool) -> Self {
        if text == "*" {
            return Self(Form::Everything);
        }
        if variables && text.contains("${") {
            return Self(Form::Variable(text.to_owned()));
        }
        let mut pieces = Vec::with_capacity(text.len());
        push_wild(&mut pieces, text);
        Self(Form::Fixed(pieces))
    }

    /// Whether `text` matches; a variable that has no value matches nothing.
    pub(super) fn matches(&self, text: &str, context: &(impl Context + ?Sized)) -> bool {
        self.matches_by(text, context, |a, b| a == b)
    }

    /// The same, whatever the case of ASCII letters.
    pub(super) fn matches_any_case(&self, text: &str, context: &(impl Context + ?Sized)) -> bool {
        self.matches_by(text, context, |a, b| a.eq_ignore_ascii_case(&b))
    }

    fn matches_by(
        &self,
        text: &str,
        context: &(impl Context + ?Sized),
        same: impl Fn(char, char) -> bool,
    ) -> bool {
        match &self.0 {
            Form::Everything => true,
            Form::Fixed(pieces) => glob(pieces, text, same),
            Form::Variable(pattern) => {
                expand(pattern, context, true).is_some_and(|pieces| glob(&pieces, text, same))
            }
        }
    }
}

/// Text without wildcards but with variables, as string conditions compare; `None` when a variable has no value.
pub(super) fn fill(
    text: &str,
    variables: bool,
    context: &(impl Context + ?Sized),
) -> Option<String> {
    if !variables || !text.contains("${") {
        return Some(text.to_owned());
    }
    let pieces = expand(text, context, false)?;
    Some(
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Char(one) => one,
                Piece::One => '?',
                Piece::Many => '*',
            })
            .collect(),
    )
}

fn push_wild(pieces: &mut Vec<Piece>, text: &str) {
    for one in text.chars() {
        match one {
            '*' if pieces.last() == Some(&Piece::Many) => {}
            '*' => pieces.push(Piece::Many),
            '?' => pieces.push(Piece::One),
            _ => pieces.push(Piece::Char(one)),
        }
    }
}

/// Fills in variables. What they stand for is never wild, and neither are `${*}`, `${?}` and `${$}`.
fn expand(text: &str, context: &(impl Context + ?Sized), wild: bool) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let literal = |pieces: &mut Vec<Piece>, text: &str| {
        pieces.extend(text.chars().map(Piece::Char));
    };
    let plain = |pieces: &mut Vec<Piece>, text: &str| {
        if wild {
            push_wild(pieces, text);
        } else {
            literal(pieces, text);
        }
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain(&mut pieces, before);
        let Some((variable, after)) = after.split_once('}') else {
            plain(&mut pieces, "${");
            rest = after;
            continue;
        };
        rest = after;
        let (name, default) = match variable.split_once(',') {
            Some((name, default)) => (name.trim(), default.trim().strip_prefix('\'')),
            None => (variable.trim(), None),
        };
        match (name, context.values(name).as_slice()) {
            ("*" | "?" | "$", _) => literal(&mut pieces, name),
            (_, [value]) => literal(&mut pieces, value),
            _ => literal(&mut pieces, default?.strip_suffix('\'')?),
        }
    }
    plain(&mut pieces, rest);
    Some(pieces)
}

/// Matches in time proportional to the product of both lengths at worst: on a mismatch only the last `*` is widened.
fn glob(pieces: &[Piece], text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    let mut widen: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        let one = ahead.next();
        match (pieces.get(at), one) {
            (Some(Piece::Many), _) => {
                at += 1;
                widen = Some((at, rest.clone()));
                continue;
            }
            (Some(Piece::One), Some(_)) => {}
            (Some(Piece::Char(expected)), Some(one)) if same(*expected, one) => {}
            (None, None) => return true,
            _ => {
                let Some((after, mut from)) = widen.take() else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                rest = from.clone();
                at = after;
                widen = Some((after, from));
                continue;
            }
        }
        at += 1;
        rest = ahead;
    }
}

/// A pattern for ARNs: each of the first five parts is matched by itself, so that a `*` in one stays in it.
/// Source: the IAM user guide on wildcards in ARNs; that absent parts stand for anything is guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArnPattern(Vec<Pattern>);

impl ArnPattern {
    pub(super) fn new(text: &str, variables: bool) -> Self {
        if !text.starts_with("arn:") {
            return Self(vec![Pattern::wild(text, variables)]);
        }
        let mut parts: Vec<Pattern> = split_arn(text)
            .map(|part| Pattern::wild(part, variables))
            .collect();
        while parts.len() < 6 {
            parts.push(Pattern(Form::Everything));
        }
        Self(parts)
    }

    pub(super) fn matches(&self, arn: &str, context: &(impl Context + ?Sized)) -> bool {
        match self.0.as_slice() {
            [whole] => whole.matches(arn, context),
            parts => {
                let mut given = split_arn(arn);
                parts.iter().all(|part| {
                    given
                        .next()
                        .is_some_and(|given| part.matches(given, context))
                })
            }
        }
    }
}

/// The six parts of an ARN; colons inside of variables don't count.
fn split_arn(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    let mut colons = 0;
    text.split(move |one| {
        match one {
            '{' => inside = true,
            '}' => inside = false,
            ':' if !inside && colons < 5 => {
                colons += 1;
                return true;
            }
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &[(&str, &str)] = &[];

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a*b*c", "a-b-b-c", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("**", "x", true),
            ("a*", "a", true),
            ("*a", "bca", true),
            ("*aab", "aaaab", true),
            ("abc", "abcd", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::wild(pattern, true).matches(text, NONE),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(Pattern::wild("Lambda:get*", true).matches_any_case("lambda:GetFunction", NONE));
    }

    #[test]
    fn variables_are_filled_in_and_are_not_wild() {
        let context: &[(&str, &str)] = &[("aws:username", "a*"), ("two", "x"), ("two", "y")];
        let matches =
            |pattern: &str, text: &str| Pattern::wild(pattern, true).matches(text, context);
        assert!(matches("home/${aws:UserName}/*", "home/a*/b"));
        assert!(!matches("home/${aws:username}/*", "home/abc/b"));
        assert!(matches("${aws:absent, 'team'}", "team"));
        assert!(!matches("${aws:absent}*", "x"));
        assert!(!matches("${two}", "x"));
        assert!(matches("a${*}b${$}{", "a*b${"));
        assert!(Pattern::wild("${aws:username}", false).matches("${aws:username}", context));
        assert_eq!(
            fill("x${aws:username}*", true, context).as_deref(),
            Some("xa**")
        );
    }

    #[test]
    fn a_star_stays_in_its_part_of_an_arn() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:app:live";
        for (pattern, expected) in [
            ("arn:aws:lambda:*:*:function:app", false),
            ("arn:aws:lambda:*:*:function:app:*", true),
            ("arn:aws:lambda:*:function:app:live", false),
            ("arn:aws:lambda:us-east-1:000000000000:*", true),
            ("arn:aws:lambda:*", true),
            ("arn:*:lambda:*:000000000000:function:a*", true),
            ("*", true),
            ("arn:aws:s3:::x", false),
            ("*:live", true),
        ] {
            assert_eq!(
                ArnPattern::new(pattern, true).matches(arn, NONE),
                expected,
                "{pattern}"
            );
        }
        let pattern = ArnPattern::new("arn:aws:s3:::b/${aws:userid}/*", true);
        assert!(pattern.matches(
            "arn:aws:s3:::b/AIDA:x/y",
            [("aws:userid", "AIDA:x")].as_slice()
        ));
    }
}
