import {
  type ClassDeclaration,
  type FunctionDeclaration,
  type InterfaceDeclaration,
  type JSDoc,
  Node,
  Project,
  type SourceFile,
  type TypeAliasDeclaration,
  type VariableDeclaration,
} from "ts-morph";

/** What an entry file can export. */
export type PublicDeclaration =
  | ClassDeclaration
  | FunctionDeclaration
  | InterfaceDeclaration
  | TypeAliasDeclaration
  | VariableDeclaration;

export interface PublicExport {
  readonly name: string;
  readonly declaration: PublicDeclaration;
}

/**
 * The exports of an entry file, in its order, each with its declaration: what it declares itself,
 * what `export { … } from` names, and all types of the files that `export type * from` names.
 */
export function publicExports(file: SourceFile): readonly PublicExport[] {
  const reexported = file.getExportDeclarations().flatMap((declaration) => {
    const source = sourceOf(file, declaration.getModuleSpecifierValue());
    if (declaration.isNamespaceExport()) return source === undefined ? [] : declaredTypes(source);
    return declaration.getNamedExports().flatMap((specifier) => {
      const found = source && findDeclaration(source, specifier.getName());
      const name = specifier.getAliasNode()?.getText() ?? specifier.getName();
      return found === undefined ? [] : [{ name, declaration: found }];
    });
  });
  const functions = file
    .getFunctions()
    .filter((declaration) => declaration.isExported())
    .map((declaration) => ({ name: declaration.getName() ?? "default", declaration }));
  return [...reexported, ...functions, ...declaredTypes(file)];
}

function declaredTypes(file: SourceFile): readonly PublicExport[] {
  return [...file.getInterfaces(), ...file.getTypeAliases()]
    .filter((declaration) => declaration.isExported())
    .map((declaration) => ({ name: declaration.getName(), declaration }));
}

/** The entry files of the package, by the name that users import. */
export const ENTRIES = {
  heddle: "harness/index.ts",
  "heddle/vitest": "harness/vitest.ts",
  "heddle/node-test": "harness/node-test.ts",
  "heddle/jest": "harness/jest.ts",
} as const;

/** Parses an entry file of the project at `root`. Other files are added when a name leads there. */
export function entryFile(root: string, entry: keyof typeof ENTRIES): SourceFile {
  const project = new Project({ compilerOptions: { noLib: true, noResolve: true } });
  return project.addSourceFileAtPath(`${root}/${ENTRIES[entry]}`);
}

/**
 * The types that the signatures of the exports mention, at any depth, and that are not exported, each
 * as `Type, mentioned by Other`. The members of types in `opaque` are not followed.
 */
export function unexportedTypes(
  exports: readonly PublicExport[],
  opaque: readonly string[],
): readonly string[] {
  const names = new Map(exports.map(({ name, declaration }) => [declaration, name]));
  const findings: string[] = [];
  const queue = [...names.keys()];
  for (const declaration of queue) {
    for (const [name, mentioned] of mentionedTypes(declaration)) {
      if (names.has(mentioned) || opaque.includes(name)) continue;
      names.set(mentioned, name);
      queue.push(mentioned);
      findings.push(`${name}, mentioned by ${names.get(declaration)}`);
    }
  }
  return findings;
}

/** The types of the project that the signature of a declaration mentions, by name. */
export function mentionedTypes(
  declaration: PublicDeclaration,
): ReadonlyMap<string, PublicDeclaration> {
  const mentioned = new Map<string, PublicDeclaration>();
  const visit = (node: Node): void => {
    if (Node.isBlock(node) || isPrivate(node)) return;
    const name = referenceName(node);
    const found = name === undefined ? undefined : findDeclaration(node.getSourceFile(), name);
    if (name !== undefined && found !== undefined) mentioned.set(name, found);
    node.forEachChildAsArray().forEach(visit);
  };
  visit(declaration);
  return mentioned;
}

/** The docstrings of an export. */
export function docsOf(declaration: PublicDeclaration): readonly JSDoc[] {
  if (Node.isVariableDeclaration(declaration)) {
    return declaration.getVariableStatement()?.getJsDocs() ?? [];
  }
  return declaration.getJsDocs();
}

/** Whether a member of a class is no part of its signature. */
export function isPrivate(node: Node): boolean {
  const named = Node.isPropertyDeclaration(node) || Node.isMethodDeclaration(node);
  if (named && node.getNameNode().getText().startsWith("#")) return true;
  return Node.isScoped(node) && node.getScope() !== "public";
}

function referenceName(node: Node): string | undefined {
  if (Node.isTypeReference(node)) return node.getTypeName().getText();
  return Node.isExpressionWithTypeArguments(node) ? node.getExpression().getText() : undefined;
}

/** The declaration of a name in a file, or in the file of the project that it is imported from. */
function findDeclaration(file: SourceFile, name: string): PublicDeclaration | undefined {
  const own =
    file.getInterface(name) ??
    file.getTypeAlias(name) ??
    file.getClass(name) ??
    file.getFunction(name) ??
    file.getVariableDeclaration(name);
  if (own !== undefined) return own;
  for (const declaration of file.getImportDeclarations()) {
    const specifier = declaration
      .getNamedImports()
      .find((one) => (one.getAliasNode()?.getText() ?? one.getName()) === name);
    const source = sourceOf(file, declaration.getModuleSpecifierValue());
    if (specifier !== undefined && source !== undefined) {
      return findDeclaration(source, specifier.getName());
    }
  }
  return undefined;
}

/** The file of a relative import; undefined for a package. */
function sourceOf(file: SourceFile, specifier: string | undefined): SourceFile | undefined {
  if (!specifier?.startsWith(".")) return undefined;
  const project = file.getProject();
  const path = `${file.getDirectoryPath()}/${specifier}`;
  return project.getSourceFile(path) ?? project.addSourceFileAtPathIfExists(path);
}
