//! What functions are called: names, partial ARNs, ARNs and qualifiers.

use crate::answer::ApiError;
use crate::call::CallCx;

use super::errors;

/// The qualifier of the version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";

/// A function, or a version or an alias of it, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The account it is in: the caller's unless an ARN says otherwise.
    pub(crate) account: String,
    /// The region it is in.
    pub(crate) region: String,
    /// The function's name.
    pub(crate) name: String,
    /// `$LATEST`, a version's number or an alias's name; `None` when the request gave none.
    pub(crate) qualifier: Option<String>,
}

/// The parts of a function's name as a request gives it.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

/// Takes a name apart that has the form of the model's pattern.
fn parts(given: &str) -> Parts<'_> {
    let mut rest = given;
    if let Some(arn) = rest.strip_prefix("arn:") {
        rest = arn.split_once(":lambda:").map_or(arn, |(_, rest)| rest);
    }
    let mut head = |is: fn(&str) -> bool| {
        let (first, after) = rest.split_once(':')?;
        is(first).then(|| {
            rest = after;
            first
        })
    };
    let region = head(is_region);
    let account = head(is_account);
    head(|first| first == "function");
    let (name, qualifier) = match rest.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (rest, None),
    };
    Parts {
        region,
        account,
        name,
        qualifier,
    }
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this has the form of a region: `eu-west-1`, `us-gov-east-1`.
fn is_region(part: &str) -> bool {
    let mut words = part.rsplit('-');
    let number = words.next().unwrap_or_default();
    number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words.clone().count() >= 2
        && words.all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Whether this is the number of a version.
pub(crate) fn is_version(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is the name of an alias.
pub(crate) fn is_alias(qualifier: &str) -> bool {
    !is_version(qualifier) && !qualifier.starts_with('$')
}

impl Target {
    /// What `name` and `qualifier` of a request mean.
    ///
    /// # Errors
    /// A function of another region; a qualifier that differs from that in the name.
    pub(crate) fn of(cx: &CallCx, name: &str, qualifier: Option<&str>) -> Result<Self, ApiError> {
        let parts = parts(name);
        if let Some(region) = parts.region.filter(|region| *region != cx.region) {
            return Err(errors::not_found(format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                cx.region
            )));
        }
        if let (Some(derived), Some(given)) = (parts.qualifier, qualifier)
            && derived != given
        {
            return Err(errors::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        Ok(Self {
            account: parts.account.unwrap_or(&cx.account).to_owned(),
            region: cx.region.clone(),
            name: parts.name.to_owned(),
            qualifier: qualifier.or(parts.qualifier).map(str::to_owned),
        })
    }

    /// What an ARN means; `None` when it is not a function's.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        let mut fields = arn.splitn(7, ':');
        let (prefix, _partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let rest = fields.next()?;
        if prefix != "arn" || service != "lambda" || kind != "function" {
            return None;
        }
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
            None => (rest, None),
        };
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
            qualifier,
        })
    }

    /// The ARN as the request meant it: with the qualifier where it has one.
    pub(crate) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function_arn()),
            None => self.function_arn(),
        }
    }

    /// The function's ARN, without a qualifier.
    pub(crate) fn function_arn(&self) -> String {
        function_arn(&self.account, &self.region, &self.name)
    }

    /// The same function with this qualifier.
    pub(crate) fn qualified(&self, qualifier: &str) -> Self {
        Self {
            qualifier: Some(qualifier.to_owned()),
            ..self.clone()
        }
    }

    /// The qualifier, which is `$LATEST` when none was given.
    pub(crate) fn or_latest(&self) -> &str {
        self.qualifier.as_deref().unwrap_or(LATEST)
    }

    /// Refuses a qualifier, for operations on whole functions.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn whole(&self) -> Result<(), ApiError> {
        match &self.qualifier {
            None => Ok(()),
            Some(_) => Err(errors::invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
            )),
        }
    }

    /// Refuses a qualifier other than `$LATEST`, for operations that change a function.
    ///
    /// # Errors
    /// There is another one.
    pub(crate) fn latest(&self) -> Result<(), ApiError> {
        match self.qualifier.as_deref() {
            None | Some(LATEST) => Ok(()),
            Some(_) => Err(errors::invalid(
                "Current operation does not support versions other than $LATEST. Please set the version to $LATEST or do not set a version in your request.",
            )),
        }
    }
}

/// The ARN of a function.
pub(crate) fn function_arn(account: &str, region: &str, name: &str) -> String {
    format!(
        "arn:{}:lambda:{region}:{account}:function:{name}",
        partition(region)
    )
}

/// The part of AWS that a region is in.
pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        given: &str,
        region: Option<&str>,
        account: Option<&str>,
        name: &str,
        q: Option<&str>,
    ) {
        let expected = Parts {
            region,
            account,
            name,
            qualifier: q,
        };
        assert_eq!(parts(given), expected, "{given}");
    }

    #[test]
    fn every_form_of_the_models_pattern_is_taken_apart() {
        let (region, account) = (Some("eu-west-1"), Some("111122223333"));
        check("hello", None, None, "hello", None);
        check("hello:live", None, None, "hello", Some("live"));
        check("hello:$LATEST", None, None, "hello", Some("$LATEST"));
        check("function:hello", None, None, "hello", None);
        check("111122223333:function:hello", None, account, "hello", None);
        check(
            "111122223333:function:hello:3",
            None,
            account,
            "hello",
            Some("3"),
        );
        check(
            "arn:aws:lambda:eu-west-1:111122223333:function:hello",
            region,
            account,
            "hello",
            None,
        );
        check(
            "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:hello:live",
            Some("us-gov-west-1"),
            account,
            "hello",
            Some("live"),
        );
        check(
            "eu-west-1:111122223333:function:hello",
            region,
            account,
            "hello",
            None,
        );
    }

    #[test]
    fn a_name_of_twelve_digits_is_a_name() {
        check("111122223333", None, None, "111122223333", None);
    }

    #[test]
    fn an_arn_of_something_else_is_no_target() {
        assert_eq!(Target::of_arn("arn:aws:sqs:eu-west-1:111122223333:q"), None);
        assert_eq!(
            Target::of_arn("arn:aws:lambda:eu-west-1:111122223333:function:f:live")
                .map(|target| target.arn()),
            Some("arn:aws:lambda:eu-west-1:111122223333:function:f:live".to_owned())
        );
    }

    #[test]
    fn aliases_are_not_numbers() {
        assert!(is_alias("live") && is_alias("v1") && !is_alias("1") && !is_alias(LATEST));
        assert!(is_version("12") && !is_version("") && !is_version("1a"));
    }
}
