#include "pipeline/tools/traits.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {

namespace {

constexpr uint64_t kTraits = 1, kPerson = 2;  // purposes of a seed

constexpr std::array kFemale = {"Anna", "Maria",  "Elena",  "Sofia", "Ingrid",
                                "Mei",  "Fatima", "Claire", "Nora",  "Priya"};
constexpr std::array kMale = {"Bert", "Jonas", "Marco", "Ivan", "Lars", "Wei", "Omar", "Luc", "Peter", "Arjun"};
constexpr std::array kFamilyNames = {"Schmidt", "Rossi", "Novak", "Jensen", "Li",    "Haddad",
                                     "Martin",  "Olsen", "Silva", "Kumar",  "Brown", "Kowalski"};
struct Place {
  const char* country;
  const char* region;
  const char* city;
};
constexpr std::array kPlaces = {Place{"DE", "Bavaria", "Munich"},       Place{"DE", "Berlin", "Berlin"},
                                Place{"FR", "Occitania", "Toulouse"},   Place{"IT", "Lombardy", "Milan"},
                                Place{"GB", "Scotland", "Edinburgh"},   Place{"US", "Ohio", "Columbus"},
                                Place{"US", "Oregon", "Portland"},      Place{"NL", "Utrecht", "Utrecht"},
                                Place{"PL", "Lesser Poland", "Krakow"}, Place{"SE", "Skane", "Malmo"}};
constexpr std::array kOccupations = {"teacher", "engineer",  "nurse",   "student",
                                     "manager", "carpenter", "retired", "designer"};
constexpr std::array kEducations = {"secondary", "vocational", "bachelor", "master", "doctorate"};
constexpr std::array kFamilies = {"single", "couple", "couple with children", "single with children"};

template <class List>
auto OneOf(Draws& draws, const List& list) {
  return list[draws.Below(list.size())];
}

std::array<int, 3> Favourites(Draws& draws, int categories) {
  std::array<int, 3> favourites{};
  for (int& favourite : favourites) favourite = static_cast<int>(draws.Below(static_cast<uint64_t>(categories)));
  return favourites;
}

}  // namespace

Traits TraitsOf(uint64_t seed, uint64_t customer, const TraitOptions& options, const Shop& shop) {
  Draws draws(DrawSeed(seed, customer, kTraits));
  Traits traits;
  // One order in three years at least: a rate of zero would be no customer.
  traits.orders_per_day = std::max(draws.Gamma(options.order_rate_shape, 1 / options.order_rate_weeks) / 7, 1.0 / 1000);
  traits.leaves_after_order = draws.Beta(options.leaving_a, options.leaving_b);
  traits.visits_per_day =
      std::clamp(traits.orders_per_day * options.visits_per_order * draws.LogNormal(1, 0.4), 1.0 / 300, 2.0);
  traits.pages_per_visit = std::clamp(draws.LogNormal(options.pages_per_visit, 0.4), 1.0, 25.0);
  traits.products_per_order = 1 + draws.Exponential(0.9);
  traits.price_level = draws.LogNormal(1, 0.4);
  traits.fades_days = draws.Exponential(20);
  traits.favourites = Favourites(draws, shop.categories());
  traits.favours = draws.Uniform(0.6, 0.95);
  traits.subscribes = draws.Chance(options.subscribers);
  traits.takes_mail = draws.Uniform(0.4, 1);
  traits.opens = draws.Beta(1.2, 3);
  traits.clicks = draws.Beta(1, 5);
  traits.unsubscribes = draws.Beta(1, 60);
  traits.contacts_per_day = traits.orders_per_day * draws.Gamma(0.5, 0.12);
  traits.complains = draws.Beta(1.5, 4);
  traits.hour = draws.Chance(0.7) ? 17 + 4.5 * draws.Uniform() : 9 + 6 * draws.Uniform();
  traits.app = draws.Chance(0.35);
  return traits;
}

v1::Person PersonOf(uint64_t seed, uint64_t customer, std::string_view customer_id) {
  Draws draws(DrawSeed(seed, customer, kPerson));
  const auto tells = [&] { return draws.Chance(0.75); };
  v1::Person person;
  const bool female = draws.Chance(0.5);
  const std::string first = female ? OneOf(draws, kFemale) : OneOf(draws, kMale);
  const std::string family = OneOf(draws, kFamilyNames);
  person.set_name(absl::StrCat(first, " ", family));
  person.set_email(absl::StrCat(absl::AsciiStrToLower(first), ".", absl::AsciiStrToLower(family), ".",
                                absl::string_view(customer_id.data(), customer_id.size()), "@example.org"));
  if (tells()) person.set_sex(female ? "female" : "male");
  if (tells()) person.set_birth_year(static_cast<int32_t>(1945 + draws.Below(60)));
  const Place place = OneOf(draws, kPlaces);
  person.set_country(place.country);
  if (tells()) person.set_region(place.region), person.set_city(place.city);
  if (draws.Chance(0.4)) {
    person.set_income_micros(static_cast<int64_t>(draws.LogNormal(38, 0.5)) * 1000 * 1'000'000);
    person.set_income_currency("USD");
  }
  if (tells()) person.set_occupation(OneOf(draws, kOccupations));
  if (tells()) person.set_education(OneOf(draws, kEducations));
  if (tells()) person.set_family(OneOf(draws, kFamilies));
  if (tells()) person.set_phone(absl::StrFormat("+1202555%04d", static_cast<int>(draws.Below(10'000))));
  return person;
}

}  // namespace portrait
