//! The macro that turns a list of columns into an enum of their places and a table of their facts.

/// Declares the columns of one table: `Variant "name" Kind nullability, "source", "meaning";`.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident {
        $($variant:ident $column:literal $kind:ident $null:ident, $source:literal, $meaning:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            /// The columns, in the order of the variants.
            pub(crate) const COLUMNS: &'static [$crate::schema::Column] = &[$($crate::schema::Column {
                name: $column,
                kind: $crate::schema::ColumnKind::$kind,
                nullable: columns!(@$null),
                source: $source,
                meaning: $meaning,
            },)*];
        }

        impl From<$name> for usize {
            fn from(column: $name) -> Self {
                column as Self
            }
        }
    };
    (@null) => { true };
    (@required) => { false };
}
pub(super) use columns;
