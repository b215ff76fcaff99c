import { posix } from "node:path";
import { Node, Project, type SourceFile, SyntaxKind } from "ts-morph";

/** The exports and imports of one source file. */
export interface Module {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  /** Without the types that the file itself uses: they are part of its signatures. */
  readonly exports: readonly string[];
  readonly imports: readonly Import[];
}

interface Import {
  /** A path like `Module.path`, or the specifier of a package. */
  readonly from: string;
  readonly isPackage: boolean;
  /** The imported names; `*` stands for all. */
  readonly names: readonly string[];
}

/** Parses sources (text by path) without reading the disk: a relative import names its file. */
export function parseModules(sources: ReadonlyMap<string, string>): readonly Module[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    compilerOptions: { noLib: true, noResolve: true, allowJs: true },
  });
  for (const [path, text] of sources) {
    project.createSourceFile(`/${path}`, text);
  }
  return project.getSourceFiles().map((file) => ({
    path: file.getFilePath().slice(1),
    exports: exportsOf(file),
    imports: importsOf(file),
  }));
}

function exportsOf(file: SourceFile): readonly string[] {
  const usedTypes = new Set(
    [SyntaxKind.TypeReference, SyntaxKind.ExpressionWithTypeArguments]
      .flatMap((kind) => file.getDescendantsOfKind(kind))
      .flatMap((node) => node.getFirstChildByKind(SyntaxKind.Identifier)?.getText() ?? []),
  );
  const isType = (node: Node): boolean =>
    Node.isInterfaceDeclaration(node) || Node.isTypeAliasDeclaration(node);
  return file
    .getExportSymbols()
    .filter(
      (symbol) => !(usedTypes.has(symbol.getName()) && symbol.getDeclarations().every(isType)),
    )
    .map((symbol) => symbol.getName());
}

function importsOf(file: SourceFile): readonly Import[] {
  const folder = posix.dirname(file.getFilePath().slice(1));
  const imported = (specifier: string, names: readonly string[]): Import => {
    const isPackage = !specifier.startsWith(".");
    return { from: isPackage ? specifier : posix.join(folder, specifier), isPackage, names };
  };
  const declared = file.getImportDeclarations().map((declaration) => {
    const names = declaration.getNamedImports().map((specifier) => specifier.getName());
    const byDefault = declaration.getDefaultImport() === undefined ? [] : ["default"];
    const all = declaration.getNamespaceImport() === undefined ? [] : ["*"];
    return imported(declaration.getModuleSpecifierValue(), [...byDefault, ...names, ...all]);
  });
  const reexported = file.getExportDeclarations().flatMap((declaration) => {
    const specifier = declaration.getModuleSpecifierValue();
    const names = declaration.getNamedExports().map((named) => named.getName());
    return specifier === undefined ? [] : [imported(specifier, names.length > 0 ? names : ["*"])];
  });
  return [
    ...declared,
    ...reexported,
    ...inlineSpecifiers(file).map((from) => imported(from, ["*"])),
  ];
}

/** The specifiers of `import("…")`, as a value and as a type. */
function inlineSpecifiers(file: SourceFile): readonly string[] {
  // Most files have none, and a traversal is slow.
  if (!file.getFullText().includes("import(")) return [];
  const calls = file
    .getDescendantsOfKind(SyntaxKind.CallExpression)
    .filter((call) => call.getExpression().getKind() === SyntaxKind.ImportKeyword)
    .map((call) => call.getArguments()[0]);
  const types = file.getDescendantsOfKind(SyntaxKind.ImportType).map((type) => {
    const argument = type.getArgument();
    return Node.isLiteralTypeNode(argument) ? argument.getLiteral() : undefined;
  });
  return [...calls, ...types].flatMap((node) =>
    Node.isStringLiteral(node) ? [node.getLiteralValue()] : [],
  );
}
