import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

const YEAR_MS = 365 * 86_400_000;

/** ASN.1 tags (https://www.itu.int/rec/T-REC-X.690). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";

let context: SecureContext | undefined;

/**
 * A key and a self-signed certificate for localhost, created once per process: a client that asks for
 * encryption and does not verify the certificate can connect
 * (https://www.rfc-editor.org/rfc/rfc5280#section-4.1).
 */
export function selfSignedCertificate(): SecureContext {
  context ??= create();
  return context;
}

function create(): SecureContext {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = node(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const commonName = node(SEQUENCE, oid(COMMON_NAME), node(UTF8, Buffer.from("heddle")));
  const name = node(SEQUENCE, node(SET, commonName));
  const now = Date.now();
  const validity = node(SEQUENCE, time(now - YEAR_MS), time(now + YEAR_MS));
  // In a SubjectAltName, [2] is a host name and [7] an address.
  const names = node(SEQUENCE, node(0x82, Buffer.from("localhost")), node(0x87, LOOPBACK));
  const extension = node(SEQUENCE, oid(SUBJECT_ALT_NAME), node(OCTET_STRING, names));
  const content = node(
    SEQUENCE,
    node(0xa0, node(INTEGER, Buffer.from([2]))), // Version 3.
    node(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    node(0xa3, node(SEQUENCE, extension)),
  );
  const signature = sign("sha256", content, privateKey);
  const der = node(SEQUENCE, content, algorithm, node(BIT_STRING, Buffer.from([0]), signature));
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return createSecureContext({
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  });
}

const LOOPBACK = Buffer.from([127, 0, 0, 1]);

function oid(hex: string): Buffer {
  return node(OBJECT_ID, Buffer.from(hex, "hex"));
}

/** `YYMMDDhhmmssZ`. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return node(UTC_TIME, Buffer.from(`${digits}Z`));
}

function node(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const bytes: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  const length = body.length < 0x80 ? [body.length] : [0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
