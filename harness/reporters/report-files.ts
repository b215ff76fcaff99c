/** The names of the files in a report's folder. Counterexamples lie in `counterexamples/` beside them. */
export const FILES = {
  report: "report.json",
  page: "report.html",
  junit: "junit.xml",
  evidence: "evidence.json",
  shard: "shard.json",
  serviceLog: "service.log",
  seededBugs: "mutants.json",
  seededBugsPage: "mutants.html",
  derivedMutants: "derived-mutants.json",
  derivedMutantsPage: "derived-mutants.html",
  layers: "layers.json",
  layersPage: "layers.html",
} as const;

/** The paths of the files that a command wrote. Each begins with the folder that the command was given. */
export interface WrittenReports {
  readonly json: string;
  readonly html: string;
  readonly junit: string;
  /** The records of other commands that the page shows. */
  readonly records: readonly string[];
  readonly counterexamples: readonly string[];
}
