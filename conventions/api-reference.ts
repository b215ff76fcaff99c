import {
  type ClassDeclaration,
  type InterfaceDeclaration,
  type JSDoc,
  Node,
  type TypeAliasDeclaration,
} from "ts-morph";
import {
  docsOf,
  ENTRIES,
  entryFile,
  isPrivate,
  mentionedTypes,
  type PublicDeclaration,
  type PublicExport,
  publicExports,
} from "./public-api.ts";

const HEADER = `# API reference

\`npm run docs\` generates this page from the docstrings of the exports. [library.md](library.md) has an
example of each function.
`;

/** The reference of the project at `root`, as Markdown: each export, with its members and docstrings. */
export function apiReference(root: string): string {
  const entries = Object.keys(ENTRIES) as (keyof typeof ENTRIES)[];
  const exports = entries.map((entry) => publicExports(entryFile(root, entry)));
  const ordered = exports.map((of) => split(of, ({ declaration }) => isValue(declaration)));
  const links = linksTo(ordered.flat(2));
  const sections = entries.map((entry, index) => {
    const [values = [], types = []] = ordered[index] ?? [];
    const list = (of: readonly PublicExport[]) =>
      of.map(({ declaration }) => links.get(declaration)).join(", ");
    const contents = [
      `Functions and classes: ${list(values)}.\n`,
      ...(types.length > 0 ? [`Types: ${list(types)}.\n`] : []),
    ];
    const parts = [...values, ...types].map((one) => exportText(one, links));
    return [`## \`${entry}\`\n`, ...contents, ...parts].join("\n");
  });
  return `${[HEADER, ...sections].join("\n").trimEnd()}\n`;
}

function isValue(declaration: PublicDeclaration): boolean {
  return !Node.isInterfaceDeclaration(declaration) && !Node.isTypeAliasDeclaration(declaration);
}

/** The elements that have the property, and the others; each sorted by name. */
function split(
  exports: readonly PublicExport[],
  has: (one: PublicExport) => boolean,
): readonly [readonly PublicExport[], readonly PublicExport[]] {
  const byName = exports.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [byName.filter(has), byName.filter((one) => !has(one))];
}

/** A link to the heading of each export. GitHub numbers headings that differ in case only. */
function linksTo(exports: readonly PublicExport[]): ReadonlyMap<PublicDeclaration, string> {
  const count = new Map<string, number>();
  const link = (name: string) => {
    const anchor = name.toLowerCase();
    const earlier = count.get(anchor) ?? 0;
    count.set(anchor, earlier + 1);
    return `[\`${name}\`](#${anchor}${earlier === 0 ? "" : `-${earlier}`})`;
  };
  return new Map(exports.map(({ name, declaration }) => [declaration, link(name)]));
}

function exportText(
  { name, declaration }: PublicExport,
  links: ReadonlyMap<PublicDeclaration, string>,
): string {
  const mentioned = [...mentionedTypes(declaration).values()]
    .filter((other) => other !== declaration)
    .flatMap((other) => links.get(other) ?? [])
    .toSorted();
  const members =
    Node.isInterfaceDeclaration(declaration) || Node.isClassDeclaration(declaration)
      ? membersText(declaration)
      : "";
  const see = mentioned.length > 0 ? `See ${mentioned.join(", ")}.\n` : "";
  const parts = [`### ${name}\n`, signature(declaration), docText(docsOf(declaration))];
  return [...parts, members, see].filter((part) => part !== "").join("\n");
}

/** The declaration without its body, its members and the comments, in a block of TypeScript. */
function signature(declaration: PublicDeclaration): string {
  return `\`\`\`ts\n${signatureOf(declaration)}\n\`\`\`\n`;
}

function signatureOf(declaration: PublicDeclaration): string {
  if (Node.isFunctionDeclaration(declaration)) {
    return textWithout(declaration, declaration.getBody()).replace(/^export (async )?/, "");
  }
  if (Node.isInterfaceDeclaration(declaration) || Node.isClassDeclaration(declaration)) {
    const text = declaration.getText();
    return text
      .slice(0, text.indexOf("{"))
      .replace(/^export /, "")
      .trim();
  }
  if (Node.isTypeAliasDeclaration(declaration)) return aliasText(declaration);
  return `const ${declaration.getName()}: ${declaration.getTypeNode()?.getText() ?? "unknown"}`;
}

/** The names in a constant, where the type is `keyof typeof CONSTANT` or `(typeof CONSTANT)[number]`. */
function aliasText(declaration: TypeAliasDeclaration): string {
  const text = declaration.getText().replace(/^export /, "");
  const [, constant] =
    /= (?:keyof typeof (?=\w+;)|\(typeof (?=\w+\)\[number\];))(\w+)/.exec(text) ?? [];
  const variable = declaration.getSourceFile().getVariableDeclaration(constant ?? "");
  const value = variable?.getInitializer();
  const literal = Node.isAsExpression(value) ? value.getExpression() : value;
  const names = Node.isArrayLiteralExpression(literal)
    ? literal.getElements().map((element) => element.getText())
    : Node.isObjectLiteralExpression(literal)
      ? literal
          .getProperties()
          .map((property) => quoted(Node.hasName(property) ? property.getName() : ""))
      : [];
  if (names.length === 0) return text;
  return `type ${declaration.getName()} =${names.map((name) => `\n  | ${name}`).join("")};`;
}

function quoted(name: string): string {
  return name.startsWith('"') ? name : JSON.stringify(name);
}

function textWithout(node: Node, part: Node | undefined): string {
  if (part === undefined) return node.getText();
  return node
    .getText()
    .slice(0, part.getStart() - node.getStart())
    .trim();
}

function membersText(declaration: ClassDeclaration | InterfaceDeclaration): string {
  const members: readonly Node[] = declaration.getMembers();
  const lines = members.filter((member) => !isPrivate(member)).flatMap(memberLines);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** A member as an item of a list; members of an object with comments of its own are items below it. */
function memberLines(member: Node): readonly string[] {
  const docs = Node.isJSDocable(member) ? docText(member.getJsDocs()).trim() : "";
  const described = docs.replaceAll(/\n(?=.)/g, "\n  ");
  const type = Node.isPropertySignature(member) ? member.getTypeNode() : undefined;
  const inner = Node.isTypeLiteral(type) && type.getText().includes("/**") ? type : undefined;
  const text = inner ? `${textWithout(member, inner)} object` : memberText(member);
  const line = `- \`${text.replace(/^(override )?(readonly |async )?/, "")}\``;
  const items = inner?.getMembers().flatMap(memberLines) ?? [];
  return [
    described === "" ? line : `${line}: ${described}`,
    ...items.map((item) => `  ${item.replaceAll(/\n(?=.)/g, "\n  ")}`),
  ];
}

function memberText(member: Node): string {
  const body = Node.isBodyable(member) || Node.isConstructorDeclaration(member);
  return textWithout(member, body ? member.getBody() : undefined)
    .replace(/;$/, "")
    .replaceAll(/\s+/g, " ");
}

function docText(docs: readonly JSDoc[]): string {
  return docs
    .map((doc) => {
      const tags = doc.getTags().map((tag) => {
        const text = (tag.getCommentText() ?? "").trim();
        const parameter = Node.isJSDocParameterTag(tag) ? `\`${tag.getName()}\` ` : "";
        return `${TAGS[tag.getTagName()] ?? tag.getTagName()}: ${parameter}${text}\n`;
      });
      const description = doc.getDescription().trim();
      return [...(description === "" ? [] : [`${description}\n`]), ...tags].join("\n");
    })
    .join("\n");
}

const TAGS: { readonly [tag: string]: string } = {
  throws: "Throws",
  returns: "Returns",
  param: "Parameter",
  example: "Example",
};
