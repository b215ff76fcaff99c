import { lostUpdateOfPrograms } from "./lost-update.mjs";

export default lostUpdateOfPrograms({ exec: ["php", "pdo.php"] });
