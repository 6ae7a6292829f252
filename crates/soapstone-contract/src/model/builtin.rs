//! The types that XML Schema brings along (XSD 1.0 part 2, section 3).

macro_rules! builtins {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A built-in type of XML Schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Builtin { $(#[doc = concat!("`xs:", $name, "`")] $variant),* }

        impl Builtin {
            /// The type of that local name in the XML Schema namespace.
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Its local name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

builtins! {
    AnyType "anyType", AnySimpleType "anySimpleType", String "string", NormalizedString "normalizedString",
    Token "token", Language "language", Name "Name", NcName "NCName", NmToken "NMTOKEN", NmTokens "NMTOKENS",
    Id "ID", IdRef "IDREF", IdRefs "IDREFS", Entity "ENTITY", Entities "ENTITIES", Boolean "boolean",
    Decimal "decimal", Integer "integer", NonPositiveInteger "nonPositiveInteger",
    NegativeInteger "negativeInteger", Long "long", Int "int", Short "short", Byte "byte",
    NonNegativeInteger "nonNegativeInteger", UnsignedLong "unsignedLong", UnsignedInt "unsignedInt",
    UnsignedShort "unsignedShort", UnsignedByte "unsignedByte", PositiveInteger "positiveInteger",
    Float "float", Double "double", Duration "duration", DateTime "dateTime", Time "time", Date "date",
    GYearMonth "gYearMonth", GYear "gYear", GMonthDay "gMonthDay", GDay "gDay", GMonth "gMonth",
    HexBinary "hexBinary", Base64Binary "base64Binary", AnyUri "anyURI", QName "QName", Notation "NOTATION",
}
