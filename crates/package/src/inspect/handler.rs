//! Finds the file that a handler such as `app.handler` names.

use anyport_core::spec::Family;

/// The parts of a handler: the module's path without extension, and the function in it.
///
/// Python reads everything before the last dot as the module, with dots or slashes between
/// packages; Node takes the first dot of the last path part, what follows names nested exports.
pub(super) fn split(family: Family, handler: &str) -> Option<(String, &str)> {
    let (module, function) = match family {
        Family::Python => handler.rsplit_once('.')?,
        _ => {
            let file = handler.rfind('/').map_or(0, |slash| slash + 1);
            let dot = file + handler[file..].find('.')?;
            (&handler[..dot], &handler[dot + 1..])
        }
    };
    if module.is_empty() || function.is_empty() {
        return None;
    }
    let module = match family {
        Family::Python => module.replace('.', "/"),
        _ => module.trim_start_matches("./").to_owned(),
    };
    Some((module, function))
}

/// The files that could hold a module, in the order in which its runtime looks for them.
pub(super) fn candidates(family: Family, module: &str) -> Vec<String> {
    let endings: &[&str] = match family {
        Family::Python => &["/__init__.py", ".py", ".pyc"],
        _ => &["", ".js", ".mjs", ".cjs"],
    };
    endings
        .iter()
        .map(|ending| format!("{module}{ending}"))
        .collect()
}

/// Whether a file could hold a handler, to suggest it.
pub(super) fn is_module(family: Family, path: &str) -> bool {
    let endings: &[&str] = match family {
        Family::Python => &[".py"],
        _ => &[".js", ".mjs", ".cjs"],
    };
    endings.iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_split_as_their_runtimes_do() {
        let python = |handler| split(Family::Python, handler);
        assert_eq!(python("app.handler"), Some(("app".into(), "handler")));
        assert_eq!(
            python("src/app.handler"),
            Some(("src/app".into(), "handler"))
        );
        assert_eq!(
            python("pkg.app.handler"),
            Some(("pkg/app".into(), "handler"))
        );
        let node = |handler| split(Family::Node, handler);
        assert_eq!(node("app.handler"), Some(("app".into(), "handler")));
        assert_eq!(node("src/app.a.b"), Some(("src/app".into(), "a.b")));
        assert_eq!(node("./v1.2/app.h"), Some(("v1.2/app".into(), "h")));
        for bad in ["app", ".handler", "app.", ""] {
            assert_eq!((python(bad), node(bad)), (None, None), "{bad:?}");
        }
    }
}
