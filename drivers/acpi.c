// SPDX-License-Identifier: MIT
//
// A reader of the ACPI tables (ACPI 6.4), without an interpreter of AML: of that it knows the one constant
// that powers the machine off.

#include <arch/cpu.h>
#include <kernel/acpi.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <tern/info.h>

#define SIGNATURE(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

struct acpi_machine acpi_machine = {.has_cmos_clock = true, .console_line = UINT32_MAX};

static uint64_t mapped_bytes; // of physical memory, from 0

// --- Tables

struct table {
	const uint8_t *bytes;
	uint32_t length;
};

#define HEADER_LENGTH 36

// Little-endian fields; 0 past the end.
static uint64_t field(const struct table *table, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset > table->length || table->length - offset < size)
		return 0;
	for (unsigned i = size; i-- > 0;)
		value = value << 8 | table->bytes[offset + i];
	return value;
}

static uint8_t field8(const struct table *table, uint32_t offset)
{
	return (uint8_t)field(table, offset, 1);
}

static uint16_t field16(const struct table *table, uint32_t offset)
{
	return (uint16_t)field(table, offset, 2);
}

static uint32_t field32(const struct table *table, uint32_t offset)
{
	return (uint32_t)field(table, offset, 4);
}

static uint64_t field64(const struct table *table, uint32_t offset)
{
	return field(table, offset, 8);
}

static const uint8_t *physical_bytes(paddr_t address, uint64_t length)
{
	if (address == 0 || address > mapped_bytes || mapped_bytes - address < length)
		return NULL;
	return phys_to_virt(address);
}

static bool checksum_is_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static bool open_table(paddr_t address, struct table *table)
{
	*table = (struct table){.bytes = physical_bytes(address, HEADER_LENGTH), .length = HEADER_LENGTH};
	if (table->bytes == NULL)
		return false;
	table->length = field32(table, 4);
	return table->length >= HEADER_LENGTH && physical_bytes(address, table->length) != NULL &&
		checksum_is_zero(table->bytes, table->length);
}

// The address in a generic address structure (5.2.3.2) of the given space, else 0.
enum address_space { SPACE_MEMORY = 0, SPACE_IO_PORT = 1 };

static uint64_t generic_address(const struct table *table, uint32_t offset, enum address_space space)
{
	return field8(table, offset) == space ? field64(table, offset + 4) : 0;
}

// --- CPUs and interrupts: MADT, 5.2.12

enum madt_entry {
	MADT_LOCAL_APIC = 0,
	MADT_IO_APIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_APIC_ADDRESS = 5,
	MADT_LOCAL_X2APIC = 9,
};

#define MADT_CPU_ENABLED         1
#define MADT_POLARITY_MASK       0x3
#define MADT_POLARITY_ACTIVE_LOW 0x3
#define MADT_TRIGGER_MASK        0xc
#define MADT_TRIGGER_LEVEL       0xc

static void add_cpu(uint64_t hardware_id, uint32_t flags)
{
	struct acpi_machine *machine = &acpi_machine;

	if (!(flags & MADT_CPU_ENABLED))
		return;
	if (machine->cpu_count == ARCH_CPU_MAX) {
		log_warning("acpi: CPU %lu is one more than this kernel can run", hardware_id);
		return;
	}
	machine->cpu_hardware_ids[machine->cpu_count++] = hardware_id;
}

// On the ISA bus, "as the bus has it" means edge-triggered and active high.
static uint32_t override_flags(uint16_t flags)
{
	uint32_t result = (flags & MADT_TRIGGER_MASK) == MADT_TRIGGER_LEVEL ? 0 : INTERRUPT_EDGE;

	if ((flags & MADT_POLARITY_MASK) == MADT_POLARITY_ACTIVE_LOW)
		result |= INTERRUPT_ACTIVE_LOW;
	return result;
}

static void read_madt_entry(const struct table *entry)
{
	struct acpi_machine *machine = &acpi_machine;

	switch (field8(entry, 0)) {
	case MADT_LOCAL_APIC:
		add_cpu(field8(entry, 3), field32(entry, 4));
		break;
	case MADT_LOCAL_X2APIC:
		add_cpu(field32(entry, 4), field32(entry, 8));
		break;
	case MADT_IO_APIC:
		if (machine->io_apic_count < ACPI_IO_APICS)
			machine->io_apics[machine->io_apic_count++] = (struct acpi_io_apic){
				.address = field32(entry, 4),
				.first_line = field32(entry, 8),
			};
		break;
	case MADT_OVERRIDE:
		if (machine->override_count < ACPI_OVERRIDES)
			machine->overrides[machine->override_count++] = (struct acpi_override){
				.isa_line = field8(entry, 3),
				.line = field32(entry, 4),
				.flags = override_flags(field16(entry, 8)),
			};
		break;
	case MADT_LOCAL_APIC_ADDRESS:
		machine->local_apic = field64(entry, 4);
		break;
	}
}

static void read_madt(const struct table *table)
{
	uint32_t offset = HEADER_LENGTH + 8;

	acpi_machine.local_apic = field32(table, HEADER_LENGTH);
	while (offset + 2 <= table->length) {
		struct table entry = {.bytes = table->bytes + offset, .length = field8(table, offset + 1)};

		if (entry.length < 2 || entry.length > table->length - offset)
			break;
		read_madt_entry(&entry);
		offset += entry.length;
	}
}

// --- Power: FADT, 5.2.9, and the \_S5_ package of the DSDT, 7.4.2.5

#define FADT_BOOT_NO_CMOS    (1 << 5)
#define FADT_RESET_SUPPORTED ((uint32_t)1 << 10)

#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE_MASK  (7 << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP_ENABLE     (1 << 13)
#define PM1_SCI_ENABLE       1
#define PM1_WIDTH            2
#define ENABLE_POLLS         1000000

static uint16_t pm1_control_ports[2];
static uint8_t sleep_type[2]; // of S5, for each of them
static bool sleep_type_known;
static uint16_t reset_port;
static uint8_t reset_value;
static uint16_t smi_command_port;
static uint8_t acpi_enable;

// The port of a register: in the extended field where that is filled in, else in the old one.
static uint16_t fadt_port(const struct table *fadt, uint32_t offset, uint32_t extended_offset)
{
	uint64_t extended = generic_address(fadt, extended_offset, SPACE_IO_PORT);

	return (uint16_t)(extended != 0 ? extended : field32(fadt, offset));
}

enum aml {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
};

// An integer of a package, and the offset after it; false: not one.
static bool aml_integer(const struct table *table, uint32_t *offset, uint8_t *value)
{
	uint8_t opcode = field8(table, (*offset)++);

	switch (opcode) {
	case AML_ZERO:
	case AML_ONE:
		*value = opcode;
		return true;
	case AML_BYTE:
	case AML_WORD:
	case AML_DWORD:
		*value = field8(table, *offset);
		*offset += opcode == AML_BYTE ? 1 : opcode == AML_WORD ? 2 : 4;
		return *offset <= table->length;
	default:
		return false;
	}
}

// Name (\_S5_, Package { SLP_TYPa, SLP_TYPb, ... })
static void find_sleep_type(const struct table *dsdt)
{
	for (uint32_t offset = HEADER_LENGTH; offset + 8 < dsdt->length; offset++) {
		uint32_t at = offset + 4;

		if (field32(dsdt, offset) != SIGNATURE('_', 'S', '5', '_') || field8(dsdt, at) != AML_PACKAGE)
			continue;
		at++;
		at += 1 +
			(field8(dsdt, at) >>
				6); // PkgLength: bits 6 and 7 are the number of bytes that follow
		at++;               // NumElements
		if (aml_integer(dsdt, &at, &sleep_type[0]) && aml_integer(dsdt, &at, &sleep_type[1])) {
			sleep_type_known = true;
			return;
		}
	}
}

static void read_fadt(const struct table *table)
{
	struct table dsdt;

	pm1_control_ports[0] = fadt_port(table, 64, 172);
	pm1_control_ports[1] = fadt_port(table, 68, 184);
	smi_command_port = field16(table, 48);
	acpi_enable = field8(table, 52);
	if (field32(table, 112) & FADT_RESET_SUPPORTED) {
		reset_port = (uint16_t)generic_address(table, 116, SPACE_IO_PORT);
		reset_value = field8(table, 128);
	}
	acpi_machine.timer_port = fadt_port(table, 76, 208);
	acpi_machine.has_cmos_clock = !(field16(table, 109) & FADT_BOOT_NO_CMOS);
	if (open_table(field64(table, 140), &dsdt) || open_table(field32(table, 40), &dsdt))
		find_sleep_type(&dsdt);
}

// Asks the firmware to leave power management to us, if it has not yet (4.8.3.2.1).
static void enable_acpi_mode(void)
{
	uint32_t control = 0;

	if (smi_command_port == 0 || acpi_enable == 0)
		return;
	for (unsigned polls = 0; polls < ENABLE_POLLS; polls++) {
		arch_io_port_read(pm1_control_ports[0], PM1_WIDTH, &control);
		if (control & PM1_SCI_ENABLE)
			return;
		if (polls == 0)
			arch_io_port_write(smi_command_port, 1, acpi_enable);
		arch_cpu_relax();
	}
}

void acpi_power_off(void)
{
	if (!sleep_type_known)
		return;
	enable_acpi_mode();
	for (unsigned i = 0; i < 2; i++) {
		uint32_t control = 0;

		if (pm1_control_ports[i] == 0)
			continue;
		arch_io_port_read(pm1_control_ports[i], PM1_WIDTH, &control);
		control &= ~(uint32_t)PM1_SLEEP_TYPE_MASK;
		control |= (uint32_t)sleep_type[i] << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE;
		arch_io_port_write(pm1_control_ports[i], PM1_WIDTH, control);
	}
}

void acpi_reset(void)
{
	if (reset_port != 0)
		arch_io_port_write(reset_port, 1, reset_value);
}

// --- Clocks, PCI and console: HPET, MCFG, SPCR

static void read_hpet(const struct table *table)
{
	acpi_machine.hpet = generic_address(table, HEADER_LENGTH + 4, SPACE_MEMORY);
}

// PCI Firmware Specification 3.2, 4.1.2.
static void read_mcfg(const struct table *table)
{
	for (uint32_t offset = HEADER_LENGTH + 8; offset + 16 <= table->length; offset += 16) {
		uint64_t base = field64(table, offset);
		uint16_t segment = field16(table, offset + 8);
		uint8_t first_bus = field8(table, offset + 10);
		uint8_t last_bus = field8(table, offset + 11);

		if (segment != 0 || last_bus < first_bus || base == 0)
			continue;
		acpi_machine.pci_ecam = base + ((uint64_t)first_bus << 20);
		acpi_machine.pci_ecam_length = ((uint64_t)last_bus - first_bus + 1) << 20;
		return;
	}
}

// Serial Port Console Redirection Table (Microsoft, version 4).
static void read_spcr(const struct table *table)
{
	enum { SPCR_16550 = 0, SPCR_16550_SUBSET = 1, SPCR_INTERRUPT_IO_APIC = 2 };

	if (field8(table, 36) != SPCR_16550 && field8(table, 36) != SPCR_16550_SUBSET)
		return;
	acpi_machine.console_port = (uint16_t)generic_address(table, 40, SPACE_IO_PORT);
	if (field8(table, 52) & SPCR_INTERRUPT_IO_APIC)
		acpi_machine.console_line = field32(table, 54);
}

// --- The root tables, 5.2.5 to 5.2.8

static void read_table(paddr_t address)
{
	static const struct {
		uint32_t signature;
		void (*read)(const struct table *table);
	} readers[] = {
		{SIGNATURE('A', 'P', 'I', 'C'), read_madt},
		{SIGNATURE('F', 'A', 'C', 'P'), read_fadt},
		{SIGNATURE('H', 'P', 'E', 'T'), read_hpet},
		{SIGNATURE('M', 'C', 'F', 'G'), read_mcfg},
		{SIGNATURE('S', 'P', 'C', 'R'), read_spcr},
	};
	struct table table;

	if (!open_table(address, &table)) {
		log_warning("acpi: ignoring a damaged table at %lx", address);
		return;
	}
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (field32(&table, 0) == readers[i].signature)
			readers[i].read(&table);
	}
}

#define RSDP_LENGTH_1   20
#define RSDP_LENGTH_2   36
#define BIOS_AREA_START 0xe0000
#define BIOS_AREA_END   0x100000
#define EBDA_POINTER    0x40e
#define EBDA_SEARCHED   1024

static bool open_rsdp(paddr_t address, struct table *rsdp)
{
	*rsdp = (struct table){.bytes = physical_bytes(address, RSDP_LENGTH_2), .length = RSDP_LENGTH_2};
	return rsdp->bytes != NULL && memcmp(rsdp->bytes, "RSD PTR ", 8) == 0 &&
		checksum_is_zero(rsdp->bytes, RSDP_LENGTH_1);
}

static bool search_rsdp(paddr_t start, paddr_t end, struct table *rsdp)
{
	for (paddr_t address = start; address < end; address += 16) {
		if (open_rsdp(address, rsdp))
			return true;
	}
	return false;
}

static bool find_rsdp(paddr_t rsdp_address, struct table *rsdp)
{
	struct table bios_data = {.bytes = physical_bytes(EBDA_POINTER, 2), .length = 2};
	paddr_t ebda = (paddr_t)field16(&bios_data, 0) << 4;

	return open_rsdp(rsdp_address, rsdp) || search_rsdp(ebda, ebda + EBDA_SEARCHED, rsdp) ||
		search_rsdp(BIOS_AREA_START, BIOS_AREA_END, rsdp);
}

bool acpi_init(paddr_t rsdp_address, uint64_t mapped)
{
	struct table rsdp, root;
	unsigned entry_size = 8;

	mapped_bytes = mapped;
	if (!find_rsdp(rsdp_address, &rsdp))
		return false;
	// The XSDT of revision 2, else the RSDT.
	if (field8(&rsdp, 15) < 2 || !open_table(field64(&rsdp, 24), &root)) {
		entry_size = 4;
		if (!open_table(field32(&rsdp, 16), &root))
			return false;
	}
	for (uint32_t offset = HEADER_LENGTH; offset + entry_size <= root.length; offset += entry_size)
		read_table(field(&root, offset, entry_size));
	return true;
}

uint32_t acpi_isa_interrupt(uint8_t isa_line, uint32_t *flags)
{
	for (size_t i = 0; i < acpi_machine.override_count; i++) {
		const struct acpi_override *override = &acpi_machine.overrides[i];

		if (override->isa_line == isa_line) {
			*flags = override->flags;
			return override->line;
		}
	}
	*flags = INTERRUPT_EDGE;
	return isa_line;
}
