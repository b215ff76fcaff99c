import { describeContainers, testContainer } from "./container/container.fixture.ts";
import { testFaults } from "./faults.fixture.ts";

describeContainers("the faults of a container", () => testFaults(testContainer));
