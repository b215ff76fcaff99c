import { basename } from "node:path";
import { Node, Project, type SourceFile } from "ts-morph";

/** Words that the project does not use as names, each with the term that it uses instead. */
const STANDARD_TERMS: { readonly [word: string]: string } = {
  ...terms("fault injector", ["strikes", "struck", "striker", "striking", "Assault"]),
  ...terms("the affected operations", ["doomed"]),
  ...terms("blocked backends", ["sleepers"]),
  ...terms("backend signals", ["freezer"]),
  ...terms("the wake-up order", ["woken"]),
  ...terms("quiescence", ["rest"]),
  ...terms("noteActivity", ["disturb"]),
  ...terms("PendingStatement", ["Flight"]),
  ...terms("complete", ["land"]),
  ...terms("statement router", ["traffic"]),
  ...terms("a name for what it holds, such as ExecutionContext", [
    ...["Stage", "Parts", "Surroundings", "Setup", "Own", "Start"],
    ...["Told", "heard", "unsaid", "Kept", "Effort", "Assumed", "InOrder", "essence", "Duty"],
  ]),
  ...terms("error attribution", ["blame"]),
  ...terms("timeout", ["in-time"]),
  ...terms("dependence", ["happened"]),
  ...terms("the sleep set", ["asleep"]),
  ...terms("the backtrack set", ["wanted"]),
  ...terms("the done set", ["tried"]),
  ...terms("released", ["letGo"]),
  ...terms("shrink candidates", ["smaller"]),
  ...terms("argument shrinking", ["plainer"]),
  ...terms("state shrinking", ["simpler"]),
  ...terms("isValid", ["accepts"]),
  ...terms("bypassed gate", ["unseen"]),
  ...terms("passing serial run", ["contrast"]),
  ...terms("fingerprint", ["behaviour"]),
  ...terms("parallel exploration", ["side-by-side"]),
  ...terms("shard totals", ["total"]),
  ...terms("checker", ["Judge", "Judges"]),
  ...terms("check result", ["Judgement"]),
  ...terms("solo runs", ["ways", "alone"]),
  ...terms("mutation points", ["sites"]),
  ...terms("search", ["Quest", "hunt", "hunting-order"]),
  ...terms("baseline", ["shipped"]),
  ...terms("invalid", ["stillborn"]),
  ...terms("unhandled errors", ["strays"]),
  ...terms("dirty", ["spoiled"]),
  ...terms("snapshot", ["remember"]),
  ...terms("handshake", ["admission"]),
  ...terms("connection queue", ["openings"]),
  ...terms("memoize", ["remembered"]),
  ...terms("control connection", ["own-session"]),
  ...terms("footprint builder", ["Closure"]),
  ...terms("lock parity", ["Turn"]),
  ...terms("graph isomorphism", ["pairing"]),
  ...terms("id bijection", ["renaming"]),
  ...terms("leaks", ["hygiene"]),
  ...terms("graph fixture", ["friends"]),
  ...terms("process tree", ["family"]),
  ...terms("killTree", ["slay"]),
  ...terms("OS user", ["account"]),
  ...terms("folder lock", ["owner"]),
  ...terms("diagnostic", ["finding"]),
  ...terms("narrative", ["story"]),
  ...terms("timeline event", ["Happening"]),
  ...terms("colours", ["paint"]),
  ...terms("atomic write", ["write-whole"]),
  ...terms("exit guard", ["ending"]),
  ...terms("stale", ["unfit"]),
  ...terms("service", ["Subject"]),
  ...terms("operation", ["Command"]),
  ...terms("task, or client", ["Lane", "Lanes"]),
  ...terms("seeded bug, or mutant", ["planted"]),
  ...terms("a fault's name", ["Faulty", "Fate", "Fated", "mortal"]),
};

/** Words that members may have, though files and exports may not; with the reason. */
const ALLOWED_MEMBERS: { readonly [word: string]: string } = {
  start: "a method that starts something, or a position in a text",
  setup: "the setup of a scenario, and of a session in isolationtester's grammar",
  total: "a number of things of one kind",
};

export interface VocabularyFinding {
  /** A path, or a path and an exported name in it, such as `a.ts Statement.tried`. */
  readonly where: string;
  readonly message: string;
}

function terms(standard: string, words: readonly string[]): { readonly [word: string]: string } {
  return Object.fromEntries(words.map((word) => [plain(word), standard]));
}

/** A name without its case and without dashes. */
function plain(name: string): string {
  return name.replaceAll(/[-_#.]/g, "").toLowerCase();
}

/** Names of files, of exports and of their public members that are no standard terms. */
export function vocabularyFindings(files: readonly SourceFile[]): readonly VocabularyFinding[] {
  return files.flatMap((file) => {
    const path = file.getFilePath().slice(1);
    const [stem = ""] = basename(path).split(".");
    const names = declarations(file).flatMap(({ name, declaration }) => [
      { where: `${path} ${name}`, name },
      ...memberNames(declaration).map((member) => ({
        where: `${path} ${name}.${member}`,
        name: member,
      })),
    ]);
    return [{ where: path, name: stem }, ...names].flatMap(({ where, name }) => {
      const standard = STANDARD_TERMS[plain(name)];
      return standard === undefined ? [] : [{ where, message: `use: ${standard}` }];
    });
  });
}

/** Exported types that two files declare. */
export function duplicateTypes(files: readonly SourceFile[]): readonly VocabularyFinding[] {
  const paths = new Map<string, string[]>();
  for (const file of files) {
    for (const { name, declaration } of declarations(file)) {
      if (!isType(declaration)) continue;
      paths.set(name, [...(paths.get(name) ?? []), file.getFilePath().slice(1)]);
    }
  }
  return [...paths]
    .filter(([, declaring]) => declaring.length > 1)
    .map(([where, declaring]) => ({ where, message: `is declared in ${declaring.join(", ")}` }));
}

/** Parses sources (text by path) without reading the disk. */
export function parseSources(sources: ReadonlyMap<string, string>): readonly SourceFile[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    compilerOptions: { noLib: true, noResolve: true, allowJs: true },
  });
  return [...sources].map(([path, text]) => project.createSourceFile(`/${path}`, text));
}

interface Declared {
  readonly name: string;
  readonly declaration: Node;
}

/** What a file declares and exports; not what it passes on from others. */
function declarations(file: SourceFile): readonly Declared[] {
  const declared = [
    ...[...file.getInterfaces(), ...file.getTypeAliases(), ...file.getEnums()],
    ...[...file.getClasses(), ...file.getFunctions()],
    ...file.getVariableDeclarations(),
  ];
  return declared.flatMap((declaration) => {
    const name = declaration.getName();
    return name !== undefined && declaration.isExported() ? [{ name, declaration }] : [];
  });
}

function isType(node: Node): boolean {
  return (
    Node.isInterfaceDeclaration(node) ||
    Node.isTypeAliasDeclaration(node) ||
    Node.isClassDeclaration(node)
  );
}

function memberNames(declaration: Node): readonly string[] {
  if (!Node.isInterfaceDeclaration(declaration) && !Node.isClassDeclaration(declaration)) return [];
  const members: readonly Node[] = declaration.getMembers();
  return members.flatMap((member) => {
    const name = Node.hasName(member) ? member.getName() : "";
    return name === "" || name.startsWith("#") || name in ALLOWED_MEMBERS ? [] : [name];
  });
}
