//! The causes: a stable code, what is wrong, and what to do about it, in English and Chinese.

use serde::Serialize;

/// A mistake in the way a request was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// Stable name, e.g. `query_missing`.
    pub code: &'static str,
    /// In English.
    pub en: CauseWords,
    /// In Chinese.
    pub zh: CauseWords,
}

/// A cause in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CauseWords {
    /// What is wrong.
    pub what: String,
    /// What to do next.
    pub advice: String,
}

/// A cause with a place `{}` for what is special about a request.
#[derive(Debug)]
pub(super) struct Known {
    code: &'static str,
    en: [&'static str; 2],
    zh: [&'static str; 2],
}

impl Known {
    pub(super) fn cause(&self, special: &str) -> Cause {
        let words = |[what, advice]: [&str; 2]| CauseWords {
            what: what.replace("{}", special),
            advice: advice.replace("{}", special),
        };
        Cause { code: self.code, en: words(self.en), zh: words(self.zh) }
    }
}

macro_rules! causes {
    ($($name:ident = $code:literal, $what:literal, $advice:literal, $zh_what:literal, $zh_advice:literal;)*) => {
        $(pub(super) static $name: Known =
            Known { code: $code, en: [$what, $advice], zh: [$zh_what, $zh_advice] };)*
        #[cfg(test)]
        pub(super) static ALL: &[&Known] = &[$(&$name),*];
    };
}

causes! {
    HEADER_MISSING = "header_missing",
        "there is no Authorization header",
        "Sign the request and send the result as Authorization; a proxy or a redirect may also have dropped it.",
        "请求没有 Authorization 头",
        "请先签名并带上 Authorization 头；也可能是代理或重定向把它去掉了。";
    HEADER_REPEATED = "header_repeated",
        "there is more than one Authorization header",
        "Send it once; look for a middleware that adds its own.",
        "Authorization 头出现了不止一次",
        "只发送一次；检查是否有中间件又加了一个。";
    HEADER_NOT_ASCII = "header_not_ascii",
        "the Authorization header holds characters outside ASCII",
        "Check mchid, serial_no and nonce_str for characters that were pasted in.",
        "Authorization 头里有非 ASCII 字符",
        "检查 mchid、serial_no、nonce_str 里是否混入了粘贴来的字符。";
    HEADER_SCHEME = "header_scheme",
        "the Authorization header does not begin with WECHATPAY2-SHA256-RSA2048 and a blank",
        "Write: WECHATPAY2-SHA256-RSA2048 mchid=\"…\",nonce_str=\"…\",timestamp=\"…\",serial_no=\"…\",signature=\"…\"",
        "Authorization 头不是以 WECHATPAY2-SHA256-RSA2048 加一个空格开头",
        "格式：WECHATPAY2-SHA256-RSA2048 mchid=\"…\",nonce_str=\"…\",timestamp=\"…\",serial_no=\"…\",signature=\"…\"";
    HEADER_ITEM_MISSING = "header_item_missing",
        "an item is not in the Authorization header or is empty: {}",
        "All five are needed once: mchid, nonce_str, timestamp, serial_no, signature.",
        "Authorization 头缺少一项或其值为空（{}）",
        "五项都要有且只有一次：mchid、nonce_str、timestamp、serial_no、signature。";
    HEADER_TIMESTAMP = "header_timestamp",
        "the timestamp in the Authorization header is not a plain decimal number",
        "Write Unix time in whole seconds: digits, no sign, no point, no blank.",
        "Authorization 头里的 timestamp 不是纯十进制数字",
        "写 Unix 时间的整秒数：只有数字，没有符号、小数点和空格。";
    HEADER_MALFORMED = "header_malformed",
        "the Authorization header cannot be read: {}",
        "Write items as name=\"value\", separated by commas, with straight double quotes and no escapes.",
        "Authorization 头无法解析（{}）",
        "每项写作 name=\"value\"，用逗号隔开，使用英文双引号，不要转义。";
    MERCHANT_UNKNOWN = "merchant_unknown",
        "the mirror knows no merchant {}",
        "Use the mchid the mirror printed at its start, or add this one: POST /_mirror/merchants.",
        "镜像里没有商户 {}",
        "请使用镜像启动时打印的 mchid，或用 POST /_mirror/merchants 添加它。";
    MCHID_BLANK = "mchid_blank",
        "there is a blank at the beginning or end of mchid",
        "Trim the setting; a line end often comes along from a file or an environment variable.",
        "mchid 首尾有空白字符",
        "去掉配置值首尾的空白；从文件或环境变量读取时常会带上换行。";
    NO_CERTIFICATE = "no_certificate",
        "merchant {} has no API certificate",
        "In production, apply for one in the merchant platform; here, set the merchant up with one.",
        "商户 {} 没有申请过 API 证书",
        "生产环境请到商户平台申请；在镜像里请给该商户配置证书。";
    SERIAL_UNKNOWN = "serial_unknown",
        "serial_no is not that of a certificate of this merchant; its serial is {}",
        "Use the serial of the merchant's own certificate: openssl x509 -in apiclient_cert.pem -noout -serial",
        "serial_no 不是该商户证书的序列号，应为 {}",
        "请使用商户自己证书的序列号：openssl x509 -in apiclient_cert.pem -noout -serial";
    SERIAL_OF_OTHER = "serial_of_other_merchant",
        "serial_no is that of merchant {}",
        "mchid, serial_no and private key must belong to one merchant; check which profile is loaded.",
        "serial_no 是商户 {} 的证书序列号",
        "mchid、serial_no 与私钥必须属于同一个商户；检查加载了哪一份配置。";
    SERIAL_OF_PLATFORM = "serial_of_platform",
        "serial_no names a key of the platform; it must be the merchant's own, {}",
        "In Authorization goes the merchant certificate's serial. The platform's serial goes into Wechatpay-Serial.",
        "serial_no 填成了微信支付平台的序列号或公钥 ID，应为商户证书序列号 {}",
        "Authorization 里填商户 API 证书的序列号；平台的序列号填在 Wechatpay-Serial 头里。";
    SERIAL_BLANK = "serial_blank",
        "there are blanks or colons in serial_no; it must be {}",
        "Trim the setting and take out colons; a line end often comes along from a file.",
        "serial_no 里有空白或冒号，应为 {}",
        "去掉空白和冒号；从文件读取时常会带上换行。";
    SERIAL_DECIMAL = "serial_decimal",
        "serial_no is written in decimal; in hexadecimal it is {}",
        "Print the certificate's serial number in hexadecimal.",
        "serial_no 写成了十进制，十六进制应为 {}",
        "请把证书序列号按十六进制输出。";
    CERTIFICATE_EXPIRED = "certificate_expired",
        "the merchant's API certificate ended at {}",
        "Renew the certificate and use its new serial and key.",
        "商户 API 证书已于 {} 过期",
        "请更新证书，并使用新的序列号和私钥。";
    TIMESTAMP_MILLISECONDS = "timestamp_milliseconds",
        "the timestamp is in milliseconds, it must be in seconds",
        "Divide by 1000 and drop the rest, in the header and in the message alike.",
        "timestamp 用了毫秒，应为秒",
        "除以 1000 取整，请求头和待签名串里要一致。";
    CLOCK_BEHIND = "clock_behind",
        "the client's clock is {} seconds behind the server's",
        "Set the machine's clock (NTP), and take a new timestamp for every attempt. Nothing 300 seconds off is taken.",
        "客户端时钟比服务器慢 {} 秒",
        "校准本机时钟（NTP），每次请求（包括重试）都要取新的时间戳。相差 300 秒及以上会被拒绝。";
    CLOCK_AHEAD = "clock_ahead",
        "the client's clock is {} seconds ahead of the server's",
        "Set the machine's clock (NTP); check that the time is Unix time in UTC. Nothing 300 seconds off is taken.",
        "客户端时钟比服务器快 {} 秒",
        "校准本机时钟（NTP），并确认用的是 UTC 的 Unix 时间。相差 300 秒及以上会被拒绝。";
    SIGNATURE_HEX = "signature_hex",
        "the signature is written in hexadecimal",
        "Write it in standard Base64 (+ and /, with = at its end).",
        "签名值用了十六进制",
        "请用标准 Base64 编码（含 + 和 /，末尾用 = 填充）。";
    SIGNATURE_URL_SAFE = "signature_url_safe",
        "the signature is written in URL-safe Base64",
        "Use the standard alphabet: + and / instead of - and _, with = at its end.",
        "签名值用了 URL 安全的 Base64",
        "请用标准 Base64：用 + 和 /，不要用 - 和 _，末尾保留 =。";
    SIGNATURE_PADDING = "signature_padding",
        "the = at the end of the Base64 signature is missing",
        "Keep the padding.",
        "签名值的 Base64 末尾缺少 =",
        "请保留 Base64 的填充字符。";
    SIGNATURE_PERCENT = "signature_percent_encoded",
        "the signature is percent-encoded",
        "Put the Base64 into the header as it is; headers are not URL-encoded.",
        "签名值被做了 URL 编码",
        "请求头里直接放 Base64 原文，不要做 URL 编码。";
    SIGNATURE_PLUS = "signature_plus_lost",
        "there are blanks in the signature where + should be",
        "The signature went through a URL decoder; put the Base64 into the header as it is.",
        "签名值里的 + 变成了空格",
        "签名经过了一次 URL 解码；请求头里直接放 Base64 原文。";
    SIGNATURE_BLANK = "signature_blank",
        "there are blanks or line ends in the signature",
        "Write the Base64 on one line, without wrapping and without a line end.",
        "签名值里有空白或换行",
        "Base64 要写在一行里，不要折行，末尾不要换行。";
    SIGNATURE_TWICE = "signature_encoded_twice",
        "the signature was encoded twice before it was put into the header",
        "Encode the raw signature once, in standard Base64.",
        "签名值被编码了两次",
        "对原始签名字节只做一次标准 Base64 编码。";
    SIGNATURE_NOT_BASE64 = "signature_not_base64",
        "the signature is not Base64",
        "Write the raw signature in standard Base64, on one line.",
        "签名值不是 Base64",
        "对原始签名字节做标准 Base64 编码，写在一行里。";
    SIGNATURE_LENGTH = "signature_length",
        "the signature is {} bytes long; that of a 2048-bit key is 256",
        "Send the whole signature of the merchant's RSA key; a digest or an HMAC is none.",
        "签名值长 {} 字节，2048 位密钥的签名应为 256 字节",
        "请发送商户 RSA 私钥的完整签名；摘要或 HMAC 不是签名。";
    KEY_OF_OTHER = "key_of_other_merchant",
        "the signature was made with the key of merchant {}",
        "Load the private key that belongs to the mchid in the header.",
        "签名使用的是商户 {} 的私钥",
        "请加载请求头中 mchid 对应的私钥。";
    KEY_OF_PLATFORM = "key_of_platform",
        "the signature was made with a key of the platform ({})",
        "Requests are signed with the merchant's private key, apiclient_key.pem.",
        "签名使用的是平台的密钥（{}）",
        "请求要用商户私钥 apiclient_key.pem 签名。";
    KEY_OF_EARLIER = "key_of_other_run",
        "the signature was made with a key that another run of the mirror gave to a merchant",
        "Load the key file that this mirror wrote; keys can differ when merchants are set up in another order.",
        "签名使用的是镜像另一次运行时分配的私钥",
        "请加载本次镜像写出的私钥文件；商户的设置顺序不同，分到的私钥也会不同。";
    KEY_UNKNOWN = "key_unknown",
        "the signature was not made with this merchant's key, nor with any other key the mirror knows",
        "Load the key the mirror wrote for this merchant. An older key, one of production or a re-made one does not fit. Check: openssl rsa -in apiclient_key.pem -noout -modulus, against the certificate's.",
        "签名用的不是该商户的私钥，也不是镜像已知的任何密钥",
        "请加载镜像为该商户写出的私钥；旧私钥、生产环境的私钥或重新生成的私钥都不行。可用 openssl rsa -in apiclient_key.pem -noout -modulus 与证书比对。";
    WRONG_HASH = "wrong_hash",
        "the message was hashed with {}",
        "Use SHA-256: SHA256withRSA, or RSA-SHA256.",
        "摘要算法用了 {}",
        "请使用 SHA-256，即 SHA256withRSA（RSA-SHA256）。";
    PSS = "pss",
        "the signature is RSA-PSS",
        "Use PKCS#1 v1.5: SHA256withRSA, RSASSA-PKCS1-v1_5, not SHA256withRSAandMGF1.",
        "签名用了 RSA-PSS 填充",
        "请使用 PKCS#1 v1.5 填充（SHA256withRSA），不要用 SHA256withRSAandMGF1。";
    NO_DIGEST_INFO = "no_digest_info",
        "the key was used without naming the hash (NONEwithRSA, or plain RSA encryption of a digest)",
        "Use the library's sign call with SHA256withRSA, not its encrypt call.",
        "签名时没有带上摘要算法标识（NONEwithRSA，或直接用私钥加密摘要）",
        "请使用库里的签名接口（SHA256withRSA），不要用加密接口。";
    QUERY_MISSING = "query_missing",
        "the query was left out of the signed message",
        "Sign path and query together, exactly as they go onto the request line: /v3/…?a=b.",
        "签名时漏掉了查询参数",
        "第二行要把路径和查询参数一起签：/v3/…?a=b，与请求行逐字节一致。";
    QUERY_ORDER = "query_order",
        "the query was signed in another order than it was sent",
        "Build the URL once and sign that very text; the HTTP library may have re-ordered the parameters.",
        "签名时的查询参数顺序与实际发送的不同",
        "URL 只拼一次，并直接对这段文本签名；HTTP 库可能重排了参数。";
    QUERY_DECODED = "query_decoded",
        "the query was signed decoded, but sent percent-encoded",
        "Sign the encoded text, as it goes onto the request line.",
        "签名时用了解码后的查询参数，发送的却是百分号编码",
        "请对编码后的文本签名，与请求行逐字节一致。";
    QUERY_ENCODED = "query_encoded",
        "the query was percent-encoded in another way for signing than for sending",
        "Encode once and use the same text for both; blanks, +, : and the case of escapes differ between libraries.",
        "签名与发送时查询参数的百分号编码方式不同",
        "只编码一次，两处用同一段文本；空格、+、冒号、转义大小写在各库中并不相同。";
    QUERY_AS_BODY = "query_as_body",
        "the query was signed as the body",
        "The query belongs to the second line, after the path; the body of a GET is empty.",
        "查询参数被当作请求体签名了",
        "查询参数属于第二行，跟在路径后面；GET 的请求体为空。";
    QUESTION_MARK = "question_mark",
        "a ? was signed though there is no query",
        "Write the ? only in front of a query.",
        "没有查询参数，签名时却带了 ?",
        "只有存在查询参数时才写 ?。";
    PATH_DECODED = "path_decoded",
        "the path was signed decoded, but sent percent-encoded",
        "Sign the encoded path, as it goes onto the request line.",
        "签名时用了解码后的路径，发送的却是百分号编码",
        "请对编码后的路径签名，与请求行逐字节一致。";
    PATH_ENCODED = "path_encoded",
        "the path was percent-encoded in another way for signing than for sending",
        "Encode once and use the same text for both.",
        "签名与发送时路径的百分号编码方式不同",
        "只编码一次，两处用同一段文本。";
    HOST_INCLUDED = "host_included",
        "the host was signed in front of the path",
        "The second line begins with the path: no scheme, no host, no port.",
        "签名时路径前带上了域名",
        "第二行从路径开始，不含协议、域名和端口。";
    PATH_PREFIX = "path_prefix",
        "the path was signed without its beginning, /v3",
        "Sign the whole path; a base URL that ends in /v3 must be counted in.",
        "签名时路径缺少开头的 /v3",
        "请对完整路径签名；基础地址以 /v3 结尾时要把它算进去。";
    PATH_SLASH = "path_slash",
        "a slash at the beginning or end of the path was signed otherwise than sent",
        "Sign the path exactly as it goes onto the request line.",
        "路径首尾的斜杠在签名与发送时不一致",
        "路径要与请求行逐字节一致。";
    BODY_EMPTY = "body_empty",
        "the message was signed without the body that was sent",
        "Put the exact bytes of the body onto the fifth line.",
        "发送了请求体，签名时却按空请求体处理",
        "第五行要放请求体的原始字节。";
    BODY_NOT_SENT = "body_not_sent",
        "a body was signed, but none was sent",
        "Without a body, as for GET, the fifth line is empty.",
        "签名时带了请求体，实际却没有发送",
        "没有请求体时（例如 GET），第五行为空。";
    BODY_LINE_FEED = "body_line_feed",
        "a blank or line feed at an end of the body was signed otherwise than sent, or a byte-order mark",
        "Make the bytes of the body once, sign them and send the very same.",
        "请求体首尾的空白、换行或 BOM 在签名与发送时不一致",
        "请求体的字节只生成一次，签名和发送用同一份。";
    BODY_COMPACT = "body_compact",
        "the body was signed without blanks, but sent with blanks or other escapes",
        "Serialise once and give the HTTP library the bytes, not the object; it may be writing the JSON anew.",
        "签名用的是紧凑 JSON，发送的 JSON 却有空格或别的转义",
        "只序列化一次，把字节（而不是对象）交给 HTTP 库；它可能又序列化了一遍。";
    BODY_SPACED = "body_spaced",
        "the body was signed with blanks after commas and colons, but sent without them",
        "Serialise once and send those bytes; with Python's requests use data=, not json=.",
        "签名用的 JSON 在逗号和冒号后有空格，发送的却没有",
        "只序列化一次并发送这些字节；Python requests 请用 data=，不要用 json=。";
    BODY_PYTHON = "body_python",
        "the body was signed as Python's json.dumps writes it, but sent in another form",
        "Serialise once and send those bytes: data=body.encode(), not json=….",
        "签名用的是 Python json.dumps 的写法，发送的却不同",
        "只序列化一次并发送这些字节：data=body.encode()，不要用 json=…。";
    BODY_ASCII = "body_ascii_escaped",
        "the body was signed with \\uXXXX escapes, but sent without them",
        "Serialise once and sign what is sent; in Python: ensure_ascii=False for both.",
        "签名用的 JSON 把中文写成了 \\uXXXX，发送的却没有",
        "只序列化一次，签名与发送同一份；Python 两处都用 ensure_ascii=False。";
    BODY_PHP = "body_php_escaped",
        "the body was signed as PHP's json_encode writes it (\\/ and \\uXXXX), but sent otherwise",
        "Serialise once and send that string; with Guzzle use 'body', not 'json'.",
        "签名用的是 PHP json_encode 的写法（\\/ 和 \\uXXXX），发送的却不同",
        "只序列化一次并发送该字符串；Guzzle 请用 'body'，不要用 'json'。";
    BODY_HTML = "body_html_escaped",
        "the body was signed as Go's encoding/json writes it (\\u003c for <, perhaps a line feed at the end), but sent otherwise",
        "Marshal once and send those bytes; mind SetEscapeHTML(false) and the line feed of Encoder.",
        "签名用的是 Go encoding/json 的写法（< 写成 \\u003c，或末尾多一个换行），发送的却不同",
        "只序列化一次并发送这些字节；注意 SetEscapeHTML(false) 以及 Encoder 末尾的换行。";
    BODY_PRETTY = "body_pretty",
        "the body was signed indented, but sent in another form",
        "Serialise once and send those bytes.",
        "签名用的是带缩进的 JSON，发送的却不同",
        "只序列化一次并发送这些字节。";
    BODY_SORTED = "body_keys_sorted",
        "the body was signed with its keys sorted, but sent in another order",
        "Serialise once and send those bytes; a map type may be sorting the keys.",
        "签名用的 JSON 按键名排了序，发送的却是另一种顺序",
        "只序列化一次并发送这些字节；可能是映射类型把键排了序。";
    WHOLE_FORM = "whole_form",
        "the signature fits the whole multipart body; of an upload only the text of the meta part is signed",
        "Put the JSON of the part named meta onto the fifth line.",
        "签名用了整个 multipart 请求体，上传时只签 meta 部分的文本",
        "第五行只放名为 meta 的部分的 JSON。";
    LAST_LINE_FEED = "last_line_feed",
        "the last line feed is missing from the signed message",
        "Each of the five lines ends in a line feed, the last one too, also when the body is empty.",
        "待签名串缺少最后一个换行符",
        "五行每行都以 \\n 结尾，最后一行也是，请求体为空时也是。";
    BODY_LINE_MISSING = "body_line_missing",
        "the line of the body is missing from the signed message",
        "There are five lines: method, path and query, timestamp, nonce, body.",
        "待签名串缺少请求体那一行",
        "共五行：方法、路径与查询参数、时间戳、随机串、请求体。";
    LINE_FEED_TOO_MANY = "line_feed_too_many",
        "there is one line feed too many at the end of the signed message",
        "After the body there is one line feed, and nothing after it; the body may have got one of its own, as Go's Encoder writes it.",
        "待签名串末尾多了一个换行符",
        "请求体之后只有一个 \\n，其后没有任何内容；也可能是请求体自带了换行，例如 Go 的 Encoder。";
    CRLF = "crlf",
        "the lines were signed with CR LF at their ends",
        "Use a single line feed (0x0A); mind println and text-mode writers on Windows.",
        "待签名串用了 CRLF 换行",
        "请只用 \\n（0x0A）；注意 Windows 上的 println 和文本模式。";
    LITERAL_BACKSLASH_N = "literal_backslash_n",
        "the lines were signed with a backslash and an n where line feeds should be",
        "Use double quotes in PHP or Shell's $'…', so that \\n becomes a line feed.",
        "待签名串里写的是反斜杠加 n，而不是换行符",
        "PHP 请用双引号，Shell 请用 $'…'，让 \\n 成为真正的换行。";
    NO_LINE_FEEDS = "no_line_feeds",
        "the lines were signed without line feeds between them",
        "End each of the five lines with a line feed.",
        "待签名串各行之间没有换行符",
        "五行每行都要以 \\n 结尾。";
    LINES_SWAPPED = "lines_swapped",
        "timestamp and nonce were signed in the wrong order",
        "The order is method, path and query, timestamp, nonce, body.",
        "时间戳和随机串的顺序颠倒了",
        "顺序是：方法、路径与查询参数、时间戳、随机串、请求体。";
    RESPONSE_FORM = "response_form",
        "the message was built as for verifying a response: timestamp, nonce, body",
        "A request has two more lines in front: method, then path and query.",
        "待签名串用了验签应答的格式（时间戳、随机串、请求体）",
        "请求签名还要在前面加两行：方法，以及路径与查询参数。";
    HASHED_FIRST = "hashed_first",
        "the digest of the message was signed instead of the message",
        "Give the signing call the message itself; SHA256withRSA hashes it.",
        "先算了摘要，又对摘要签名",
        "把待签名串原文交给签名接口，SHA256withRSA 会自己计算摘要。";
    METHOD_LOWER = "method_lower_case",
        "the method was signed in lower case",
        "Write it in capitals: GET, POST, PATCH.",
        "签名时请求方法用了小写",
        "请用大写：GET、POST、PATCH。";
    METHOD_OTHER = "method_other",
        "another method was signed than was sent",
        "Sign the method of this very request.",
        "签名的请求方法与实际发送的不同",
        "请对本次请求实际使用的方法签名。";
    NONCE_CASE = "nonce_case",
        "the nonce was signed in other capitals than it was sent",
        "Make the nonce once and use the same text in message and header.",
        "随机串在签名与请求头里的大小写不同",
        "随机串只生成一次，待签名串和请求头用同一个值。";
    TIMESTAMP_OTHER = "timestamp_other",
        "the message was signed with another timestamp than that of the header",
        "Read the clock once and use the same value in message and header.",
        "待签名串里的时间戳与请求头里的不同",
        "时间只取一次，待签名串和请求头用同一个值。";
    TIMESTAMP_MILLIS_SIGNED = "timestamp_milliseconds_signed",
        "the message was signed with milliseconds, the header has seconds",
        "Use seconds in both, and the same value.",
        "待签名串里的时间戳是毫秒，请求头里的是秒",
        "两处都用秒，并且是同一个值。";
    MESSAGE_UNKNOWN = "message_unknown",
        "another message was signed than the server built, and not one that is easy to get wrong",
        "Print the message before signing and compare it byte by byte with the server's, above all nonce and body. Its SHA-256 must be the server's digest.",
        "签名的内容与服务器构造的不同，也不属于常见错误",
        "签名前打印待签名串，与服务器的逐字节比对，尤其是随机串和请求体；其 SHA-256 应与服务器的一致。";
}

/// Why a header could not be read.
pub(super) fn malformed(header: &str, reason: &str) -> Cause {
    if !header.starts_with("WECHATPAY2-SHA256-RSA2048 ") {
        HEADER_SCHEME.cause("")
    } else if let Some(item) = reason.strip_suffix(" is missing") {
        HEADER_ITEM_MISSING.cause(item)
    } else if reason.starts_with("the timestamp") {
        HEADER_TIMESTAMP.cause("")
    } else {
        HEADER_MALFORMED.cause(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_cause_has_its_own_code_and_words_in_both_languages() {
        let mut seen = HashSet::new();
        for known in ALL {
            assert!(seen.insert(known.code), "{} twice", known.code);
            assert!(
                known
                    .code
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert!(known.en.iter().all(|text| !text.is_empty()));
            assert!(known.zh.iter().all(|text| !text.is_ascii()), "{}", known.code);
            let places = |texts: &[&str]| texts.iter().any(|text| text.contains("{}"));
            assert_eq!(places(&known.en), places(&known.zh), "{}", known.code);
        }
    }
}
